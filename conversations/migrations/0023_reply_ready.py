from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("conversations", "0022_flags")]

    # The same in fewer statements: a single personality is counted without the batch's plans.
    operations = [InstallFunction("public.reply_ready(uuid, text, text, jsonb, uuid, uuid)", "0023_reply_ready")]
