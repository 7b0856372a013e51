from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("usage", "0004_service_role")]

    operations = [
        InstallFunction(
            "waops.next_reset(timestamp with time zone, timestamp with time zone)",
            "0005_next_reset",
        ),
    ]
