from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0005_message_count")]

    operations = [InstallFunction("waops.count_messages()", "0006_count_messages", grant=False)]
