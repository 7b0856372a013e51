-- End snoozes, no matter who began them: woken, or refused.
CREATE OR REPLACE FUNCTION waops.wake_escalations(
    p_ids uuid[],
    p_actor_id bigint,
    p_actor_name text,
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
        SELECT
            asked.*,
            coalesce(asked.refusal, CASE WHEN asked.snoozed_at IS NULL THEN 'not_snoozed' ELSE 'woken' END) AS outcome
        FROM waops.check_escalations(p_ids, p_versions, p_actor_id, true, false) AS asked
    ),
    woken AS (
        UPDATE waops.escalations_escalationstate AS state
        SET version = state.version + 1,
            snoozed_by_id = NULL, snoozed_by_name = NULL, snoozed_at = NULL, snoozed_until = NULL,
            snoozed_seen_after = NULL, snoozed_seen = '{}'
        FROM decided
        WHERE state.escalation_id = decided.escalation_id AND decided.outcome = 'woken'
    ),
    history AS (
        INSERT INTO waops.escalations_event
            (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
        SELECT
            decided.escalation_id, decided.instance_id, decided.whatsapp_number,
            'woken', v_now, p_actor_id, p_actor_name, '{"by": "person"}'
        FROM decided
        WHERE decided.outcome = 'woken'
    )
    SELECT array_agg(decided.escalation_id ORDER BY decided.place), array_agg(decided.outcome ORDER BY decided.place)
    INTO v_ids, v_outcomes
    FROM decided;

    RETURN QUERY SELECT * FROM waops.escalation_results(v_ids, v_outcomes);
END
$$;
