-- A turn as turn_state, turn_sent and end_turn return it.
CREATE OR REPLACE FUNCTION waops.answer_turn(p_turn waops.conversations_turn) RETURNS json
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
BEGIN
    RETURN waops.describe_turn(p_turn) || pg_catalog.jsonb_build_object('is_escalated', EXISTS (
        SELECT
        FROM public.whatsapp_conversations AS conversation
        JOIN public.escalated_conversations AS escalation
            ON escalation.instance_id = conversation.instance_id
            AND escalation.whatsapp_number = ANY (public.whatsapp_forms(conversation.user_phone))
            AND escalation.resolved_at IS NULL
        WHERE conversation.id = p_turn.conversation_id
    ));
END
$$;
