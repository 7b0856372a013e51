from django.db import migrations

from waops.permissions import MANAGERS, OPERATORS, SUPPORT, grant, revoke

GRANTS = {
    SUPPORT: ["escalations.view_escalation", "escalations.resolve_escalation", "escalations.view_event"],
    MANAGERS: ["escalations.view_escalation", "escalations.view_event"],
    OPERATORS: ["escalations.view_escalation", "escalations.view_event"],
}


def forwards(apps, schema_editor):
    for group, codenames in GRANTS.items():
        grant(apps, group, codenames)


def backwards(apps, schema_editor):
    for group, codenames in GRANTS.items():
        revoke(apps, group, codenames)


class Migration(migrations.Migration):
    dependencies = [
        ("escalations", "0003_history_and_resolve"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
