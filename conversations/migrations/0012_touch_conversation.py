from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0011_as_object")]

    operations = [InstallFunction("waops.touch_conversation(uuid, text)", "0012_touch_conversation")]
