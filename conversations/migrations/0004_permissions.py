from django.db import migrations

from waops.access.permissions import MANAGERS, OPERATORS, SUPPORT, grants


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0003_functions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        grants(
            {
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
        )
    ]
