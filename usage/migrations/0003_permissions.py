from django.db import migrations

from waops.permissions import MANAGERS, OPERATORS, grant, revoke

# Support sees the names of businesses wherever they stand, but not what they pay for.
GROUPS = [MANAGERS, OPERATORS]
CODENAMES = ["usage.view_profile"]


def forwards(apps, schema_editor):
    for group in GROUPS:
        grant(apps, group, CODENAMES)


def backwards(apps, schema_editor):
    for group in GROUPS:
        revoke(apps, group, CODENAMES)


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0002_index"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
