from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0020_message_arrived")]

    operations = [InstallFunction("public.reply_ready(uuid, text, text, jsonb, uuid, uuid)", "0021_reply_ready")]
