-- Snooze open escalations until p_until or, if that is null, until the customer writes: snoozed, or refused. The
-- person's own claim ends. The customer's newest messages are remembered, to distinguish later ones from those seen.
CREATE OR REPLACE FUNCTION waops.snooze_escalations(
    p_ids uuid[],
    p_actor_id bigint,
    p_actor_name text,
    p_until timestamp with time zone,
    p_versions integer[] DEFAULT NULL
) RETURNS SETOF waops.escalation_result
    LANGUAGE plpgsql
    SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now timestamp with time zone := waops.lock_escalations(p_ids, p_actor_name);
    v_ids uuid[];
    v_outcomes text[];
BEGIN
    WITH decided AS (
        SELECT asked.*, coalesce(asked.refusal, 'snoozed') AS outcome
        FROM waops.check_escalations(p_ids, p_versions, p_actor_id, true, false) AS asked
    ),
    -- All newer than the oldest of them, so that a message is new if it is none of them and not older.
    seen AS (
        SELECT
            decided.escalation_id,
            coalesce(array_agg(latest.id) FILTER (WHERE latest.id IS NOT NULL), '{}') AS messages,
            CASE WHEN count(latest.id) < 10 THEN '1000-01-01 00:00+00' ELSE least(min(latest."timestamp"), v_now) END AS after
        FROM decided
        LEFT JOIN LATERAL (
            SELECT message.id, message."timestamp", row_number() OVER (ORDER BY message."timestamp" DESC) AS place
            FROM public.whatsapp_conversations AS conversation
            JOIN public.whatsapp_conversation_messages AS message ON message.conversation_id = conversation.id
            WHERE conversation.instance_id = decided.instance_id
              AND conversation.user_phone = decided.whatsapp_number
              AND message.role = 'user'
            ORDER BY message."timestamp" DESC
            LIMIT 100
        ) AS latest ON latest.place <= 10 OR latest."timestamp" > v_now - interval '1 hour'
        WHERE decided.outcome = 'snoozed'
        GROUP BY decided.escalation_id
    ),
    snoozed AS (
        UPDATE waops.escalations_escalationstate AS state
        SET version = state.version + 1,
            claimed_by_id = NULL, claimed_by_name = NULL, claimed_at = NULL, lease_until = NULL,
            snoozed_by_id = p_actor_id, snoozed_by_name = p_actor_name, snoozed_at = v_now, snoozed_until = p_until,
            snoozed_seen_after = seen.after, snoozed_seen = seen.messages
        FROM seen
        WHERE state.escalation_id = seen.escalation_id
    ),
    history AS (
        INSERT INTO waops.escalations_event
            (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
        SELECT
            decided.escalation_id, decided.instance_id, decided.whatsapp_number,
            'snoozed', v_now, p_actor_id, p_actor_name, jsonb_build_object('until', p_until)
        FROM decided
        WHERE decided.outcome = 'snoozed'
    )
    SELECT array_agg(decided.escalation_id ORDER BY decided.place), array_agg(decided.outcome ORDER BY decided.place)
    INTO v_ids, v_outcomes
    FROM decided;

    RETURN QUERY SELECT * FROM waops.escalation_results(v_ids, v_outcomes);
END
$$;
