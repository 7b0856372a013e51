from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0009_forget_message_counts_trigger")]

    operations = [InstallFunction("waops.messages_of(uuid)", "0010_messages_of")]
