-- The plan's first form of store_message_with_update: the same, without a result.
CREATE OR REPLACE FUNCTION public.store_message_and_update_conversation(
    p_conversation_id uuid,
    p_role text,
    p_content text,
    p_message_id text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
BEGIN
    PERFORM public.store_message_with_update(p_conversation_id, p_role, p_content, p_message_id);
END
$$;
