-- The first step of every action: lock every escalation of the customers of these escalations, make sure that each
-- given one has a state, and end expired claims and snoozes, with an entry in the history.
-- Returns the moment after the wait for the locks: later than anything done in between.
CREATE OR REPLACE FUNCTION waops.lock_escalations(p_ids uuid[], p_actor_name text) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_locked uuid[];
    v_now timestamp with time zone;
BEGIN
    IF p_ids IS NULL OR p_actor_name IS NULL OR p_actor_name = '' THEN
        RAISE EXCEPTION 'An action on escalations needs p_ids and p_actor_name'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;

    -- Always in the order of ids, so that two callers never wait for each other.
    SELECT array_agg(locked.id) INTO v_locked
    FROM (
        SELECT escalation.id
        FROM public.escalated_conversations AS escalation
        WHERE EXISTS (
            SELECT FROM public.escalated_conversations AS asked
            WHERE asked.id = ANY (p_ids)
              AND asked.whatsapp_number = escalation.whatsapp_number
              AND asked.instance_id IS NOT DISTINCT FROM escalation.instance_id
        )
        ORDER BY escalation.id
        FOR UPDATE OF escalation
    ) AS locked;
    v_now := clock_timestamp();

    INSERT INTO waops.escalations_escalationstate (escalation_id)
    SELECT locked.id FROM unnest(v_locked) AS locked (id) WHERE locked.id = ANY (p_ids)
    ON CONFLICT DO NOTHING;

    WITH state AS (
        SELECT
            state.*,
            escalation.instance_id,
            escalation.whatsapp_number,
            escalation.resolved_at,
            waops.woke_at(
                escalation.instance_id,
                escalation.whatsapp_number,
                state.snoozed_at,
                state.snoozed_until,
                state.snoozed_seen_after,
                state.snoozed_seen
            ) AS woke_at
        FROM waops.escalations_escalationstate AS state
        JOIN public.escalated_conversations AS escalation ON escalation.id = state.escalation_id
        WHERE state.escalation_id = ANY (v_locked)
    ),
    ended AS (
        SELECT
            state.*,
            state.lease_until <= v_now AS has_lapsed,
            state.woke_at IS NOT NULL AS has_woken,
            -- Resolved outside this app, which ends both without a word.
            state.resolved_at IS NOT NULL AS is_over
        FROM state
        WHERE state.claimed_by_id IS NOT NULL OR state.snoozed_by_id IS NOT NULL
    ),
    cleared AS (
        UPDATE waops.escalations_escalationstate AS state
        SET claimed_by_id = NULL, claimed_by_name = NULL, claimed_at = NULL, lease_until = NULL,
            snoozed_by_id = NULL, snoozed_by_name = NULL, snoozed_at = NULL, snoozed_until = NULL,
            snoozed_seen_after = NULL, snoozed_seen = '{}'
        FROM ended
        WHERE state.escalation_id = ended.escalation_id AND (ended.has_lapsed OR ended.has_woken OR ended.is_over)
    )
    INSERT INTO waops.escalations_event
        (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
    SELECT
        ended.escalation_id,
        ended.instance_id,
        ended.whatsapp_number,
        CASE WHEN ended.has_lapsed THEN 'lapsed' ELSE 'woken' END,
        least(coalesce(CASE WHEN ended.has_lapsed THEN ended.lease_until END, ended.woke_at), v_now),
        CASE WHEN ended.has_lapsed THEN ended.claimed_by_id END,
        CASE WHEN ended.has_lapsed THEN ended.claimed_by_name ELSE '' END,
        CASE
            WHEN ended.has_lapsed THEN '{}'
            ELSE jsonb_build_object('by', CASE WHEN ended.woke_at = ended.snoozed_until THEN 'time' ELSE 'customer' END)
        END
    FROM ended
    WHERE (ended.has_lapsed AND ended.lease_until <= coalesce(ended.resolved_at, ended.lease_until))
       OR (ended.has_woken AND ended.woke_at <= coalesce(ended.resolved_at, ended.woke_at));

    RETURN v_now;
END
$$;
