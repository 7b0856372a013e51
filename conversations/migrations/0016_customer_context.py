from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0015_store_messages")]

    operations = [InstallFunction("waops.customer_context(uuid, text, integer)", "0016_customer_context")]
