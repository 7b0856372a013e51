from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("escalations", "0007_case_result")]

    operations = [
        InstallFunction("waops.lock_cases(uuid[], text)", "0008_lock_cases", grant=False),
        InstallFunction(
            "waops.check_cases(uuid[], integer[], bigint, boolean, boolean)", "0008_check_cases", grant=False
        ),
        InstallFunction("waops.case_results(uuid[], text[], uuid[], integer[])", "0008_case_results", grant=False),
    ]
