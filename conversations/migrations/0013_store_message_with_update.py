from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0012_touch_conversation")]

    operations = [
        InstallFunction(
            "public.store_message_with_update(uuid, text, text, text)",
            "0013_store_message_with_update",
        ),
    ]
