from django.db import migrations

from waops.operations import InstallFunction, RunSQLFile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("waops", "0006_sign_ins")]

    operations = [
        InstallFunction("waops.refuse_sign_in_change()", "0007_refuse_sign_in_change", grant=False),
        RunSQLFile("0007_sign_ins_append_only"),
    ]
