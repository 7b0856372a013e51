-- See waops.customer_context. Always an object: without an active conversation, `conversation` is null and the rest
-- holds.
CREATE OR REPLACE FUNCTION public.get_conversation_with_context(
    p_instance_id uuid,
    p_user_phone text,
    p_limit integer DEFAULT 10
) RETURNS json
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_context record;
BEGIN
    v_context := waops.customer_context(p_instance_id, p_user_phone, p_limit);
    IF current_setting('waops.trace', true) = 'on' THEN
        RAISE LOG 'get_conversation_with_context: instance=% conversation=% is_escalated=%',
            p_instance_id, v_context.conversation ->> 'id', v_context.is_escalated;
    END IF;
    RETURN row_to_json(v_context);
END
$$;
