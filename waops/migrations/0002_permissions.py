from django.db import migrations

from waops.permissions import OPERATORS, grant, revoke

CODENAMES = ["waops.view_installedobject", "waops.view_archivedrow"]


def forwards(apps, schema_editor):
    grant(apps, OPERATORS, CODENAMES)


def backwards(apps, schema_editor):
    revoke(apps, OPERATORS, CODENAMES)


class Migration(migrations.Migration):
    dependencies = [
        ("waops", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
