-- End one turn whose lease expired before p_before, and return its message; null if none is left that can be locked
-- now.
-- One per transaction, so that no two businesses are locked at once. Conversations in use are left for later.
-- `run_out`: no reply was stored, and the quota is returned. `unconfirmed`: the reply is stored, but its sending was
-- not confirmed.
CREATE OR REPLACE FUNCTION waops.end_run_out_turn(p_before timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_candidate waops.conversations_turn;
    v_turn waops.conversations_turn;
    v_is_free boolean;
BEGIN
    FOR v_candidate IN
        SELECT * FROM waops.conversations_turn AS turn WHERE turn.ended_at IS NULL AND turn.leased_until < p_before
    LOOP
        PERFORM
        FROM public.whatsapp_conversations AS conversation
        WHERE conversation.id = v_candidate.conversation_id
        FOR NO KEY UPDATE SKIP LOCKED;
        v_is_free := FOUND OR NOT EXISTS (
            SELECT
            FROM public.whatsapp_conversations AS conversation
            WHERE conversation.id = v_candidate.conversation_id
        );
        CONTINUE WHEN NOT v_is_free;
        -- Once more, now that no one can change it.
        v_turn := waops.find_turn(v_candidate.token);
        CONTINUE WHEN v_turn.message_id IS NULL OR v_turn.ended_at IS NOT NULL OR v_turn.leased_until >= p_before;
        v_turn := waops.end_turn(v_turn.token, CASE
            WHEN v_turn.replied_at IS NOT NULL THEN 'unconfirmed'
            WHEN EXISTS (
                SELECT
                FROM public.whatsapp_conversation_messages AS message
                WHERE message.conversation_id = v_turn.conversation_id AND message.role = 'assistant'
                    AND message."timestamp" > v_turn.arrived_at
            ) THEN 'answered'
            WHEN EXISTS (
                SELECT
                FROM public.whatsapp_conversations AS conversation
                JOIN public.escalated_conversations AS escalation
                    ON escalation.instance_id = conversation.instance_id
                    AND escalation.whatsapp_number = ANY (public.whatsapp_forms(conversation.user_phone))
                    AND escalation.resolved_at IS NULL
                WHERE conversation.id = v_turn.conversation_id
            ) THEN 'escalated'
            ELSE 'run_out'
        END);
        RETURN v_turn.message_id;
    END LOOP;
    RETURN NULL;
END
$$;
