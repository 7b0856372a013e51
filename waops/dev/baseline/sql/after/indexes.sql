-- The plan's nine indexes, names and definitions as the owner wrote them.
CREATE INDEX idx_conversations_active ON public.whatsapp_conversations (instance_id, user_phone, status)
    WHERE status = 'active';
CREATE INDEX idx_conversations_cleanup ON public.whatsapp_conversations (last_activity)
    WHERE status <> 'active';
CREATE INDEX idx_messages_conversation
    ON public.whatsapp_conversation_messages (conversation_id, "timestamp" DESC);
CREATE INDEX idx_messages_content_gin
    ON public.whatsapp_conversation_messages USING gin (to_tsvector('simple', content));
CREATE INDEX idx_ai_interactions_user
    ON public.whatsapp_ai_interactions (whatsapp_instance_id, user_phone, created_at DESC);
CREATE INDEX idx_ai_interactions_metadata_gin ON public.whatsapp_ai_interactions USING gin (metadata);
CREATE INDEX idx_ai_config_active ON public.whatsapp_ai_config (whatsapp_instance_id, is_active)
    WHERE is_active = true;
CREATE INDEX idx_profiles_ai_limits
    ON public.profiles (monthly_ai_responses_used, monthly_ai_response_limit);
CREATE INDEX idx_escalated_active ON public.escalated_conversations (instance_id, whatsapp_number, resolved_at)
    WHERE resolved_at IS NULL;
