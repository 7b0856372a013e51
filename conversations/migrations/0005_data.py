from django.db import migrations

from waops.database.flags import create_samples


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0004_permissions"),
        ("waffle", "0004_update_everyone_nullbooleanfield"),
    ]

    operations = [
        create_samples(
            "check_and_update_ai_usage",
            "end_turn",
            "get_conversation_with_context",
            "get_instance_state",
            "message_arrived",
            "reply_ready",
            "store_message_and_update_conversation",
            "store_message_with_update",
            "store_messages",
            "turn_sent",
            "turn_state",
            "update_personality_usage_batch",
        )
    ]
