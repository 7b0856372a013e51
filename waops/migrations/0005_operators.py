from django.db import migrations

from waops.permissions import OPERATORS, grant, revoke

CODENAMES = ["waops.view_operations", "waops.change_operations"]


def forwards(apps, schema_editor):
    grant(apps, OPERATORS, CODENAMES)


def backwards(apps, schema_editor):
    revoke(apps, OPERATORS, CODENAMES)


class Migration(migrations.Migration):
    dependencies = [("waops", "0004_operations")]

    operations = [migrations.RunPython(forwards, backwards)]
