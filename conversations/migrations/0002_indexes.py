from django.db import migrations

from waops.schema import CreateIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0001_tables"), ("waops", "0001_tables")]

    operations = [
        # The conversation a message arrives in.
        CreateIndex("""
            CREATE INDEX idx_conversations_active ON public.whatsapp_conversations
            USING btree (instance_id, user_phone, status) WHERE status = 'active'
        """),
        # Closed conversations that are old enough to clean up.
        CreateIndex("""
            CREATE INDEX idx_conversations_cleanup ON public.whatsapp_conversations
            USING btree (last_activity) WHERE status <> 'active'
        """),
        # The newest messages of a conversation.
        CreateIndex("""
            CREATE INDEX idx_messages_conversation ON public.whatsapp_conversation_messages
            USING btree (conversation_id, "timestamp" DESC)
        """),
        # Search in the messages' words.
        CreateIndex("""
            CREATE INDEX idx_messages_content_gin ON public.whatsapp_conversation_messages
            USING gin (to_tsvector('simple', content))
        """),
        # The newest AI replies to a customer.
        CreateIndex("""
            CREATE INDEX idx_ai_interactions_user ON public.whatsapp_ai_interactions
            USING btree (whatsapp_instance_id, user_phone, created_at DESC)
        """),
        # AI replies by their metadata.
        CreateIndex("""
            CREATE INDEX idx_ai_interactions_metadata_gin ON public.whatsapp_ai_interactions USING gin (metadata)
        """),
        # The settings of a number whose AI is on.
        CreateIndex("""
            CREATE INDEX idx_ai_config_active ON public.whatsapp_ai_config
            USING btree (whatsapp_instance_id, is_active) WHERE is_active = true
        """),
        # A webhook delivered twice. Not partial: an upsert over REST cannot infer a partial index.
        CreateIndex(
            """
            CREATE UNIQUE INDEX uniq_messages_conversation_message_id ON public.whatsapp_conversation_messages
            USING btree (conversation_id, message_id)
            """,
            repair="duplicate_messages",
        ),
    ]
