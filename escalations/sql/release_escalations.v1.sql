-- End the person's own claims: released, or refused. p_force also ends a colleague's.
CREATE OR REPLACE FUNCTION waops.release_escalations(
    p_ids uuid[],
    p_actor_id bigint,
    p_actor_name text,
    p_force boolean DEFAULT false,
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
            coalesce(asked.refusal, CASE WHEN asked.claimed_by_id IS NULL THEN 'not_held' ELSE 'released' END) AS outcome
        FROM waops.check_escalations(p_ids, p_versions, p_actor_id, true, p_force) AS asked
    ),
    released AS (
        UPDATE waops.escalations_escalationstate AS state
        SET version = state.version + 1,
            claimed_by_id = NULL, claimed_by_name = NULL, claimed_at = NULL, lease_until = NULL
        FROM decided
        WHERE state.escalation_id = decided.escalation_id AND decided.outcome = 'released'
    ),
    history AS (
        INSERT INTO waops.escalations_event
            (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
        SELECT
            decided.escalation_id, decided.instance_id, decided.whatsapp_number,
            'released', v_now, p_actor_id, p_actor_name,
            CASE
                WHEN decided.claimed_by_id = p_actor_id THEN '{}'
                ELSE jsonb_build_object('from', decided.claimed_by_id, 'from_name', decided.claimed_by_name)
            END
        FROM decided
        WHERE decided.outcome = 'released'
    )
    SELECT array_agg(decided.escalation_id ORDER BY decided.place), array_agg(decided.outcome ORDER BY decided.place)
    INTO v_ids, v_outcomes
    FROM decided;

    RETURN QUERY SELECT * FROM waops.escalation_results(v_ids, v_outcomes);
END
$$;
