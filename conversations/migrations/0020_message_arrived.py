from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0019_update_personality_usage_batch")]

    operations = [
        InstallFunction(
            "public.message_arrived(uuid, text, text, text, integer)",
            "0020_message_arrived",
        ),
    ]
