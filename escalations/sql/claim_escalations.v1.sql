-- Claim open escalations until p_lease from now: claimed, renewed if it was the person's own claim, or refused. A
-- snooze ends. p_force takes over a colleague's claim.
CREATE OR REPLACE FUNCTION waops.claim_escalations(
    p_ids uuid[],
    p_actor_id bigint,
    p_actor_name text,
    p_lease interval,
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
            CASE
                WHEN asked.resolved_at IS NULL AND asked.claimed_by_id = p_actor_id THEN 'renewed'
                ELSE coalesce(asked.refusal, 'claimed')
            END AS outcome
        FROM waops.check_escalations(p_ids, p_versions, p_actor_id, true, p_force) AS asked
    ),
    renewed AS (
        UPDATE waops.escalations_escalationstate AS state
        SET lease_until = greatest(state.lease_until, v_now + p_lease)
        FROM decided
        WHERE state.escalation_id = decided.escalation_id AND decided.outcome = 'renewed'
    ),
    claimed AS (
        UPDATE waops.escalations_escalationstate AS state
        SET version = state.version + 1,
            claimed_by_id = p_actor_id, claimed_by_name = p_actor_name,
            claimed_at = v_now, lease_until = v_now + p_lease,
            snoozed_by_id = NULL, snoozed_by_name = NULL, snoozed_at = NULL, snoozed_until = NULL,
            snoozed_seen_after = NULL, snoozed_seen = '{}'
        FROM decided
        WHERE state.escalation_id = decided.escalation_id AND decided.outcome = 'claimed'
    ),
    history AS (
        INSERT INTO waops.escalations_event
            (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
        SELECT
            decided.escalation_id, decided.instance_id, decided.whatsapp_number,
            'claimed', v_now, p_actor_id, p_actor_name,
            jsonb_strip_nulls(jsonb_build_object(
                'until', v_now + p_lease, 'from', decided.claimed_by_id, 'from_name', decided.claimed_by_name
            ))
        FROM decided
        WHERE decided.outcome = 'claimed'
    )
    SELECT array_agg(decided.escalation_id ORDER BY decided.place), array_agg(decided.outcome ORDER BY decided.place)
    INTO v_ids, v_outcomes
    FROM decided;

    RETURN QUERY SELECT * FROM waops.escalation_results(v_ids, v_outcomes);
END
$$;
