from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0014_store_message_and_update_conversation")]

    operations = [InstallFunction("public.store_messages(uuid, jsonb)", "0015_store_messages")]
