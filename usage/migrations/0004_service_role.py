from django.db import migrations

from waops.operations import RunSQLFile


class Migration(migrations.Migration):
    # The operation waits for its locks briefly and repeatedly, which it cannot inside one transaction.
    atomic = False

    dependencies = [("usage", "0003_permissions"), ("waops", "0003_incident")]

    operations = [RunSQLFile("0004_service_role")]
