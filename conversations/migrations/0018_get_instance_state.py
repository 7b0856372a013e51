from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0017_get_conversation_with_context")]

    operations = [InstallFunction("public.get_instance_state(uuid, text)", "0018_get_instance_state")]
