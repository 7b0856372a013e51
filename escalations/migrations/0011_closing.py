from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("escalations", "0010_pauses_and_notes"), ("escalations", "0003_history_and_resolve")]

    operations = [
        InstallFunction(
            "waops.resolve_escalations(uuid[], bigint, text, text, text, boolean, integer[])",
            "0011_resolve_escalations",
            grant=False,
        ),
        InstallFunction(
            "waops.reopen_escalations(uuid[], bigint, text, integer[])", "0011_reopen_escalations", grant=False
        ),
    ]
