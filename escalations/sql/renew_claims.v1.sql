-- Extend the person's own live claims to p_lease from now: renewed, or refused. It changes no state that others see, so
-- neither version nor history.
CREATE OR REPLACE FUNCTION waops.renew_claims(
    p_ids uuid[],
    p_actor_id bigint,
    p_actor_name text,
    p_lease interval,
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
            coalesce(asked.refusal, CASE WHEN asked.claimed_by_id IS NULL THEN 'not_held' ELSE 'renewed' END) AS outcome
        FROM waops.check_escalations(p_ids, p_versions, p_actor_id, true, false) AS asked
    ),
    renewed AS (
        UPDATE waops.escalations_escalationstate AS state
        SET lease_until = greatest(state.lease_until, v_now + p_lease)
        FROM decided
        WHERE state.escalation_id = decided.escalation_id AND decided.outcome = 'renewed'
    )
    SELECT array_agg(decided.escalation_id ORDER BY decided.place), array_agg(decided.outcome ORDER BY decided.place)
    INTO v_ids, v_outcomes
    FROM decided;

    RETURN QUERY SELECT * FROM waops.escalation_results(v_ids, v_outcomes);
END
$$;
