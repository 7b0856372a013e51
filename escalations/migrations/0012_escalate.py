from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    atomic = False

    # The unique index on open escalations is what makes it race-free.
    dependencies = [("escalations", "0011_closing"), ("escalations", "0005_one_open_escalation")]

    operations = [
        InstallFunction(
            "waops.escalate_by_hand(uuid, bigint, text, text)", "0012_escalate_by_hand", grant=False
        ),
    ]
