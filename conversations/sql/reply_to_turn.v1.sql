-- Whether the reply of a turn may be stored now: the turn as callers get it, with `stored`, and `quota_reserved` if the
-- reply is already counted.
-- The caller, reply_ready, holds the conversation's lock and stores the reply in the same transaction. The lease starts
-- again, for the sending. A reply that this turn has already stored is leased once more; if it was stored without the
-- turn, it is unknown whether it was sent.
CREATE OR REPLACE FUNCTION waops.reply_to_turn(
    p_token uuid,
    p_conversation_id uuid,
    p_message_id text,
    p_business_id uuid,
    p_is_escalated boolean
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
    v_setting text;
    v_turn waops.conversations_turn;
    v_attempt integer;
    v_leased_until timestamp with time zone;
    v_reserved_for uuid;
    v_reserved_reset timestamp with time zone;
    v_is_counted boolean;
    v_is_stored boolean;
BEGIN
    IF NOT p_is_escalated THEN
        v_setting := pg_catalog.set_config('lock_timeout', '40', true);
        UPDATE waops.conversations_turn AS turn
        SET replied_at = pg_catalog.clock_timestamp(),
            leased_until = greatest(
                turn.leased_until, pg_catalog.clock_timestamp() + turn.lease_seconds * interval '1 second'
            )
        WHERE turn.token = p_token AND turn.conversation_id = p_conversation_id
            AND turn.ended_at IS NULL AND turn.replied_at IS NULL
            AND NOT EXISTS (
                SELECT
                FROM public.whatsapp_conversation_messages AS message
                WHERE message.conversation_id = p_conversation_id AND message.message_id = nullif(p_message_id, '')
                    AND message.role = 'assistant'
            )
        RETURNING turn.attempt, turn.leased_until, turn.reserved_for, turn.reserved_reset, EXISTS (
            SELECT
            FROM public.profiles AS profile
            WHERE profile.id = p_business_id AND profile.id = turn.reserved_for
                AND profile.last_responses_reset_date IS NOT DISTINCT FROM turn.reserved_reset
        )
        INTO v_attempt, v_leased_until, v_reserved_for, v_reserved_reset, v_is_counted;
        v_setting := pg_catalog.set_config('lock_timeout', v_lock_timeout, true);
        IF v_attempt IS NOT NULL THEN
            IF NOT v_is_counted AND v_reserved_for IS NOT NULL THEN
                PERFORM waops.return_quota(v_reserved_for, v_reserved_reset);
            END IF;
            RETURN pg_catalog.json_build_object(
                'state', 'sending', 'token', p_token, 'attempt', v_attempt, 'leased_until', v_leased_until,
                'quota_reserved', v_is_counted, 'superseded_by', NULL, 'outcome', NULL, 'stored', true
            );
        END IF;
    END IF;

    v_is_stored := EXISTS (
        SELECT
        FROM public.whatsapp_conversation_messages AS message
        WHERE message.conversation_id = p_conversation_id AND message.message_id = nullif(p_message_id, '')
            AND message.role = 'assistant'
    );
    v_turn := waops.find_turn(p_token);
    IF v_turn.conversation_id <> p_conversation_id THEN
        v_turn := NULL;
    ELSIF v_turn.ended_at IS NULL AND v_turn.replied_at IS NULL THEN
        v_turn := waops.end_turn(p_token, CASE WHEN v_is_stored THEN 'unconfirmed' ELSE 'escalated' END);
    END IF;
    RETURN waops.describe_turn(v_turn, CASE WHEN v_turn.outcome = 'escalated' THEN 'escalated' END)
        || pg_catalog.jsonb_build_object(
            'stored', v_is_stored AND v_turn.replied_at IS NOT NULL AND v_turn.ended_at IS NULL
        );
END
$$;
