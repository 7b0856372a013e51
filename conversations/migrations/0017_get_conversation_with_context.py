from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0016_customer_context")]

    operations = [
        InstallFunction(
            "public.get_conversation_with_context(uuid, text, integer)",
            "0017_get_conversation_with_context",
        ),
    ]
