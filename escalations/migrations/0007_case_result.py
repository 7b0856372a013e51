from django.db import migrations

from waops.operations import InstallFunction, RunSQLFile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("escalations", "0006_case_state")]

    operations = [
        RunSQLFile("0007_case_result"),
        InstallFunction(
            "waops.woke_at(uuid, text, timestamp with time zone, timestamp with time zone)", "0007_woke_at", grant=False
        ),
    ]
