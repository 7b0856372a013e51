from django.db import migrations

from waops.permissions import MANAGERS, SUPPORT, grant, revoke

GRANTS = {
    SUPPORT: ["escalations.add_knownreason"],
    MANAGERS: ["escalations.add_knownreason", "escalations.export_escalation"],
}


def forwards(apps, schema_editor):
    for group, codenames in GRANTS.items():
        grant(apps, group, codenames)


def backwards(apps, schema_editor):
    for group, codenames in GRANTS.items():
        revoke(apps, group, codenames)


class Migration(migrations.Migration):
    dependencies = [
        ("escalations", "0021_known_reason"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
