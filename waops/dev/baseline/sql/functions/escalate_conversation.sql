-- A second call opens a second row: unique_active_escalation holds resolved_at, and NULLs never collide.
CREATE FUNCTION public.escalate_conversation(
    p_phone_number text,
    p_instance_id uuid,
    p_reason text,
    p_context jsonb DEFAULT '[]'
) RETURNS uuid
    LANGUAGE plpgsql
AS $$
DECLARE
    v_escalation_id uuid;
BEGIN
    INSERT INTO escalated_conversations (whatsapp_number, instance_id, reason, conversation_context)
    VALUES (p_phone_number, p_instance_id, p_reason, p_context)
    RETURNING id INTO v_escalation_id;

    RETURN v_escalation_id;
END
$$;
