from django.db import migrations

from waops.operations import RunSQLFile


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0006_count_messages")]

    operations = [RunSQLFile("0007_message_count_triggers")]
