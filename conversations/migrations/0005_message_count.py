from django.db import migrations

from conversations.preflight import refuse_unfit_tables
from waops.operations import RunSQLFile


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0004_unique_message_ids"), ("usage", "0006_check_and_update_ai_usage")]

    operations = [
        migrations.RunPython(refuse_unfit_tables, migrations.RunPython.noop),
        RunSQLFile("0005_message_count"),
    ]
