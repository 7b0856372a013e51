from django.db import migrations

from waops.permissions import MANAGERS, OPERATORS, SUPPORT, grant, revoke

GRANTS = {
    SUPPORT: [
        "conversations.view_whatsappinstance",
        "conversations.view_conversation",
        "conversations.view_message",
        "conversations.view_aiinteraction",
        "conversations.view_aipersonality",
        "conversations.view_customerprofile",
    ],
    MANAGERS: [
        "conversations.view_whatsappinstance",
        "conversations.view_conversation",
        "conversations.view_aiinteraction",
        "conversations.view_aiconfig",
    ],
    OPERATORS: [
        "conversations.view_whatsappinstance",
        "conversations.view_conversation",
        "conversations.view_message",
        "conversations.view_aiinteraction",
        "conversations.view_aiconfig",
        "conversations.view_aipersonality",
        "conversations.view_customerprofile",
        "conversations.view_supportteamnumber",
    ],
}


def forwards(apps, schema_editor):
    for group, codenames in GRANTS.items():
        grant(apps, group, codenames)


def backwards(apps, schema_editor):
    for group, codenames in GRANTS.items():
        revoke(apps, group, codenames)


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0002_indexes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
