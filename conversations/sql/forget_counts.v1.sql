-- Make every count unknown, and reset waops.message_count_lost. Call it again until it answers true: a mark is reset only
-- once no count is left that was kept before, and no writer is at work whose change went uncounted. Writers wait for it
-- at most 40 ms. Error 55P03: the lock was not had; call it again later.
CREATE OR REPLACE FUNCTION waops.forget_counts() RETURNS boolean
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '40ms'
AS $$
DECLARE
    v_lost boolean;
BEGIN
    LOCK TABLE public.whatsapp_conversation_messages IN SHARE MODE;
    SELECT lost.is_called INTO v_lost FROM waops.message_count_lost AS lost;
    IF v_lost AND NOT EXISTS (SELECT FROM waops.message_count AS counted WHERE counted.messages IS NOT NULL) THEN
        PERFORM setval('waops.message_count_lost', 1, false);
        RETURN true;
    END IF;
    TRUNCATE waops.message_count, waops.message_count_missed;
    RETURN NOT v_lost;
END
$$;
