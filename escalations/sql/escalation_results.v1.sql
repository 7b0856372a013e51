-- The last step of every action: outcomes with the event that explains each, read after the action. That is the last
-- one in the history of the escalation, or of p_others if another escalation is the reason.
CREATE OR REPLACE FUNCTION waops.escalation_results(
    p_ids uuid[],
    p_outcomes text[],
    p_others uuid[] DEFAULT NULL,
    p_merged integer[] DEFAULT NULL
) RETURNS SETOF waops.escalation_result
    LANGUAGE sql STABLE
    SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT
        item.id,
        escalation.whatsapp_number,
        item.outcome,
        act.kind,
        act.at,
        act.actor_id,
        act.actor_name,
        coalesce(explained_state.lease_until, explained_state.snoozed_until),
        coalesce(state.version, 0),
        item.other_id,
        coalesce(item.merged, 0)
    FROM unnest(p_ids, p_outcomes, p_others, p_merged) WITH ORDINALITY
        AS item (id, outcome, other_id, merged, place)
    LEFT JOIN public.escalated_conversations AS escalation ON escalation.id = item.id
    LEFT JOIN waops.escalations_escalationstate AS state ON state.escalation_id = item.id
    LEFT JOIN public.escalated_conversations AS explained ON explained.id = coalesce(item.other_id, item.id)
    LEFT JOIN waops.escalations_escalationstate AS explained_state ON explained_state.escalation_id = explained.id
    LEFT JOIN LATERAL (
        SELECT event.kind, event.at, event.actor_id, event.actor_name
        FROM waops.escalations_event AS event
        WHERE event.escalation_id = explained.id AND (event.kind NOT IN ('noted', 'replied') OR item.outcome = event.kind)
        ORDER BY event.at DESC, event.id DESC
        LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT last.kind, last.at, last.actor_id, last.actor_name
        WHERE item.outcome = 'noted'
           OR (
               item.outcome <> 'held'
               -- False where something else than this app closed it, or opened it again.
               AND (last.kind IN ('resolved', 'merged') AND last.at = explained.resolved_at)
                   = (last.kind IN ('resolved', 'merged') OR explained.resolved_at IS NOT NULL)
           )
        UNION ALL
        SELECT 'claimed', explained_state.claimed_at, explained_state.claimed_by_id, explained_state.claimed_by_name
        WHERE item.outcome = 'held'
        UNION ALL
        -- Outside this app: when, but not who.
        SELECT 'resolved', explained.resolved_at, NULL, NULL
        WHERE explained.resolved_at IS NOT NULL
        LIMIT 1
    ) AS act ON true
    ORDER BY item.place
$$;
