from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0007_message_count_triggers")]

    operations = [InstallFunction("waops.forget_message_counts()", "0008_forget_message_counts", grant=False)]
