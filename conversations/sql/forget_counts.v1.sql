-- Make every count unknown, and reset waops.message_count_lost.
-- Call it until it returns true: a mark is reset only when no earlier count is left and no writer whose change went
-- uncounted is still at work. Writers wait for it at most 40 ms. Error 55P03: the lock was not acquired; call it again
-- later.
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
