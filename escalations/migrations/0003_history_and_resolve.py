from django.db import migrations

from waops.operations import InstallFunction, RunSQLFile


class Migration(migrations.Migration):
    # The operations wait for their locks briefly and repeatedly, which they cannot inside one transaction.
    atomic = False

    dependencies = [("escalations", "0001_initial"), ("waops", "0001_initial")]

    operations = [
        InstallFunction("waops.refuse_history_change()", "0003_refuse_history_change", grant=False),
        RunSQLFile("0003_history_append_only"),
        InstallFunction(
            "waops.resolve_escalations(uuid[], bigint, text)", "0003_resolve_escalations", grant=False
        ),
    ]
