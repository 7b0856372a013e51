-- The state of each given escalation, and why an action on it is refused, if it is. Call it after lock_escalations,
-- whose locks keep that state.
-- p_versions holds what the person saw, in the order of p_ids; null checks nothing. p_open: the action is for open
-- escalations; p_force: a colleague's claim does not prevent it.
CREATE OR REPLACE FUNCTION waops.check_escalations(
    p_ids uuid[],
    p_versions integer[],
    p_actor_id bigint,
    p_open boolean,
    p_force boolean
) RETURNS TABLE (
    place bigint,
    escalation_id uuid,
    instance_id uuid,
    whatsapp_number text,
    resolved_at timestamp with time zone,
    claimed_by_id bigint,
    claimed_by_name text,
    snoozed_at timestamp with time zone,
    refusal text
)
    LANGUAGE sql STABLE
    SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT
        asked.place,
        asked.id,
        escalation.instance_id,
        escalation.whatsapp_number,
        escalation.resolved_at,
        state.claimed_by_id,
        state.claimed_by_name,
        state.snoozed_at,
        CASE
            WHEN escalation.id IS NULL THEN 'not_found'
            WHEN p_open AND escalation.resolved_at IS NOT NULL THEN 'already_resolved'
            WHEN NOT p_force AND state.claimed_by_id IS DISTINCT FROM p_actor_id AND state.claimed_by_id IS NOT NULL
                THEN 'held'
            WHEN state.version <> asked.version THEN 'stale'
        END
    FROM (
        SELECT DISTINCT ON (item.id) item.id, item.version, item.place
        FROM unnest(p_ids, p_versions) WITH ORDINALITY AS item (id, version, place)
        WHERE item.id IS NOT NULL
        ORDER BY item.id, item.place
    ) AS asked
    LEFT JOIN public.escalated_conversations AS escalation ON escalation.id = asked.id
    LEFT JOIN waops.escalations_escalationstate AS state ON state.escalation_id = asked.id
    ORDER BY asked.place
$$;
