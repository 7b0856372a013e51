from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("usage", "0005_next_reset")]

    operations = [
        InstallFunction(
            "public.check_and_update_ai_usage(uuid, boolean)",
            "0006_check_and_update_ai_usage",
        ),
    ]
