from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0018_get_instance_state")]

    operations = [
        InstallFunction(
            "public.update_personality_usage_batch(uuid[])",
            "0019_update_personality_usage_batch",
        ),
    ]
