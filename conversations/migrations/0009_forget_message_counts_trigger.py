from django.db import migrations

from waops.operations import RunSQLFile


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0008_forget_message_counts")]

    operations = [RunSQLFile("0009_forget_message_counts_trigger")]
