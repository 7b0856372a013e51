from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0010_messages_of")]

    operations = [InstallFunction("waops.as_object(jsonb)", "0011_as_object")]
