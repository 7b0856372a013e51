from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("escalations", "0009_claims")]

    operations = [
        InstallFunction(
            "waops.snooze_escalations(uuid[], bigint, text, timestamp with time zone, integer[])",
            "0010_snooze_escalations",
            grant=False,
        ),
        InstallFunction(
            "waops.wake_escalations(uuid[], bigint, text, integer[])", "0010_wake_escalations", grant=False
        ),
        InstallFunction(
            "waops.note_escalations(uuid[], bigint, text, text, integer[])", "0010_note_escalations", grant=False
        ),
    ]
