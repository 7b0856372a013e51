from django.db import migrations

from waops.operations import InstallFunction


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("usage", "0013_permissions")]

    # The same in fewer statements: counting an answer is one.
    operations = [
        InstallFunction("public.check_and_update_ai_usage(uuid, boolean)", "0014_check_and_update_ai_usage"),
    ]
