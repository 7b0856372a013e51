from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0013_store_message_with_update")]

    operations = [
        InstallFunction(
            "public.store_message_and_update_conversation(uuid, text, text, text)",
            "0014_store_message_and_update_conversation",
        ),
    ]
