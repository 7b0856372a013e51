-- Defect kept: two open rows get the same now() and collide on unique_active_escalation, so neither can be closed.
CREATE FUNCTION public.resolve_escalation(
    p_phone_number text,
    p_instance_id uuid,
    p_resolved_by uuid
) RETURNS boolean
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE escalated_conversations
    SET resolved_at = now(), resolved_by = p_resolved_by
    WHERE whatsapp_number = p_phone_number AND instance_id = p_instance_id AND resolved_at IS NULL;

    RETURN FOUND;
END
$$;
