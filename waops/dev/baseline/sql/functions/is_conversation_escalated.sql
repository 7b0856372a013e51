CREATE FUNCTION public.is_conversation_escalated(p_phone_number text, p_instance_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        SELECT FROM escalated_conversations
        WHERE whatsapp_number = p_phone_number AND instance_id = p_instance_id AND resolved_at IS NULL
    )
$$;
