-- Whether a human has the customer, the number's settings and the last five answers, whatever the conversation's state.
CREATE OR REPLACE FUNCTION public.get_instance_state(p_instance_id uuid, p_user_phone text) RETURNS json
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_context record;
BEGIN
    v_context := waops.customer_context(p_instance_id, p_user_phone, 0);
    RETURN json_build_object(
        'is_escalated', v_context.is_escalated,
        'instance_config', v_context.instance_config,
        'recent_interactions', v_context.recent_interactions
    );
END
$$;
