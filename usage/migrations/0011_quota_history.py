from django.db import migrations

from waops.operations import InstallFunction, RunSQLFile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("usage", "0010_quota")]

    operations = [
        InstallFunction(
            "waops.refuse_quota_history_change()", "0011_refuse_quota_history_change", grant=False
        ),
        RunSQLFile("0011_quota_history_append_only"),
        InstallFunction("waops.record_outside_change()", "0011_record_outside_change", grant=False),
        RunSQLFile("0011_outside_changes"),
    ]
