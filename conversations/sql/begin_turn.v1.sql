-- Decide who answers a message that was just stored or delivered again. Returns the turn, and the quota, which is null
-- if it was not looked up.
-- As an array, because its elements cost the caller less than the keys of an object. The caller, message_arrived, holds
-- the conversation's lock. A first delivery gets the turn and reserves quota, or takes over the reservation of the turn
-- that it supersedes. A message delivered again gets the turn only if its lease has expired and no reply was stored.
-- Without a turn on record the lease counts from the message's time, because the caller who got the message first may
-- still be answering it.
CREATE OR REPLACE FUNCTION waops.begin_turn(
    p_conversation_id uuid,
    p_message_id uuid,
    p_arrived_at timestamp with time zone,
    p_is_duplicate boolean,
    p_is_escalated boolean,
    p_business_id uuid,
    p_lease_seconds integer
) RETURNS json[]
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
    v_setting text;
    v_turn waops.conversations_turn;
    v_open waops.conversations_turn;
    v_quota json;
    v_is_inherited boolean;
    v_state text;
    v_answer json;
BEGIN
    v_setting := pg_catalog.set_config('lock_timeout', '40', true);
    IF p_is_duplicate THEN
        SELECT * INTO v_turn FROM waops.conversations_turn AS turn WHERE turn.message_id = p_message_id;
    END IF;
    SELECT *
    INTO v_open
    FROM waops.conversations_turn AS turn
    WHERE turn.conversation_id = p_conversation_id AND turn.ended_at IS NULL AND turn.replied_at IS NULL;
    v_setting := pg_catalog.set_config('lock_timeout', v_lock_timeout, true);

    IF p_is_duplicate THEN
        IF v_turn.ended_at IS NOT NULL THEN
            v_state := 'done';
        ELSIF coalesce(v_turn.leased_until, p_arrived_at + p_lease_seconds * interval '1 second')
            > pg_catalog.clock_timestamp()
        THEN
            v_state := CASE WHEN v_turn.message_id IS NULL AND p_is_escalated THEN 'escalated' ELSE 'in_progress' END;
        ELSIF v_turn.replied_at IS NOT NULL THEN
            v_turn := waops.end_turn(v_turn.token, 'unconfirmed');
            v_state := 'done';
        ELSIF EXISTS (
            SELECT
            FROM public.whatsapp_conversation_messages AS message
            WHERE message.conversation_id = p_conversation_id AND message.role = 'assistant'
                AND (message."timestamp" > p_arrived_at OR message.id = p_message_id)
        ) THEN
            PERFORM waops.end_turn(v_turn.token, 'answered');
            v_state := 'done';
            v_turn.outcome := 'answered';
        ELSIF v_open.arrived_at > p_arrived_at AND NOT p_is_escalated THEN
            v_state := 'done';
            v_turn.outcome := 'superseded';
            v_turn.superseded_by := v_open.message_id;
        END IF;
    END IF;
    IF v_state IS NOT NULL OR p_is_escalated THEN
        RETURN ARRAY[waops.describe_turn(v_turn, coalesce(v_state, 'escalated'))::json, NULL];
    END IF;

    IF v_open.reserved_for = p_business_id THEN
        v_is_inherited := EXISTS (
            SELECT
            FROM public.profiles AS profile
            WHERE profile.id = p_business_id
                AND profile.last_responses_reset_date IS NOT DISTINCT FROM v_open.reserved_reset
        );
    END IF;
    v_quota := public.check_and_update_ai_usage(p_business_id, v_is_inherited IS NOT TRUE);
    IF v_is_inherited THEN
        v_quota := pg_catalog.jsonb_set(v_quota::jsonb, ARRAY['allowed'], 'true');
    ELSIF (v_quota ->> 'allowed'::text) = 'false' THEN
        RETURN ARRAY[waops.describe_turn(v_turn, 'over_quota')::json, v_quota];
    ELSIF v_open.reserved_for IS NOT NULL THEN
        PERFORM waops.return_quota(v_open.reserved_for, v_open.reserved_reset);
    END IF;

    v_setting := pg_catalog.set_config('lock_timeout', '40', true);
    IF v_open.message_id IS NOT NULL THEN
        UPDATE waops.conversations_turn AS turn
        SET ended_at = pg_catalog.clock_timestamp(), outcome = 'superseded', superseded_by = p_message_id
        WHERE turn.conversation_id = p_conversation_id AND turn.ended_at IS NULL AND turn.replied_at IS NULL
            AND turn.message_id <> p_message_id;
    END IF;
    INSERT INTO waops.conversations_turn AS turn (
        message_id, conversation_id, token, attempt, arrived_at, lease_seconds, leased_until, outcome,
        reserved_for, reserved_reset
    )
    VALUES (
        p_message_id, p_conversation_id, pg_catalog.gen_random_uuid(), 1,
        -- Pages read it, and the message of a redelivery may have any time.
        greatest(least(p_arrived_at, pg_catalog.clock_timestamp()), '2000-01-01 00:00+00'), p_lease_seconds,
        pg_catalog.clock_timestamp() + p_lease_seconds * interval '1 second', '',
        -- Allowed with an error: a failure of ours, by which nothing was counted.
        CASE WHEN (v_quota ->> 'errorMessage'::text) IS NULL THEN p_business_id END,
        (SELECT profile.last_responses_reset_date FROM public.profiles AS profile WHERE profile.id = p_business_id)
    )
    ON CONFLICT (message_id) DO UPDATE
    SET token = excluded.token,
        attempt = turn.attempt + 1,
        lease_seconds = excluded.lease_seconds,
        leased_until = excluded.leased_until,
        reserved_for = excluded.reserved_for,
        reserved_reset = excluded.reserved_reset
    RETURNING pg_catalog.json_build_object(
        'state', 'yours', 'token', turn.token, 'attempt', turn.attempt, 'leased_until', turn.leased_until,
        'quota_reserved', turn.reserved_for IS NOT NULL, 'superseded_by', NULL, 'outcome', NULL
    )
    INTO v_answer;
    IF NOT FOUND THEN
        -- The caller takes the reservation back, and answers that the turn is unknown.
        RAISE EXCEPTION 'a trigger discarded the turn';
    END IF;
    v_setting := pg_catalog.set_config('lock_timeout', v_lock_timeout, true);
    RETURN ARRAY[v_answer, v_quota];
END
$$;
