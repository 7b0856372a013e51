-- Whether the customer is escalated, the number's settings and the last five AI replies, in any state of the
-- conversation.
-- Errors as in get_conversation_with_context, and volatile for the same reason.
CREATE OR REPLACE FUNCTION public.get_instance_state(p_instance_id uuid, p_user_phone text) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_context CONSTANT json := public.get_conversation_with_context(p_instance_id, p_user_phone, 0);
BEGIN
    RETURN pg_catalog.json_build_object(
        'is_escalated', v_context -> 'is_escalated'::text,
        'instance_config', v_context -> 'instance_config'::text,
        'recent_interactions', v_context -> 'recent_interactions'::text
    );
END
$$;
