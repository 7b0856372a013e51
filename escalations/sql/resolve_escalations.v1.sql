-- Close escalations, each with every other open one of the same customer and WhatsApp number: resolved, or refused.
-- A colleague's claim on any of them refuses it, unless p_force. p_note may be required by the business. resolved_by of
-- the row stays null: it refers to auth.users, where staff have no rows.
CREATE OR REPLACE FUNCTION waops.resolve_escalations(
    p_ids uuid[],
    p_actor_id bigint,
    p_actor_name text,
    p_outcome text DEFAULT NULL,
    p_note text DEFAULT '',
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
    v_others uuid[];
    v_wanted uuid[];
    v_merged_into uuid[];
BEGIN
    IF p_outcome IS NOT NULL AND NOT EXISTS (
        SELECT FROM waops.escalations_closingoutcome AS outcome WHERE outcome.code = p_outcome AND outcome.is_active
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s is not an active outcome', p_outcome);
    END IF;

    WITH decided AS (
        SELECT
            asked.place,
            asked.escalation_id,
            NULLIF(holder.escalation_id, asked.escalation_id) AS other_id,
            CASE
                WHEN asked.refusal IN ('not_found', 'already_resolved') THEN asked.refusal
                WHEN holder.escalation_id IS NOT NULL THEN 'held'
                WHEN asked.refusal IS NOT NULL THEN asked.refusal
                WHEN p_note = '' AND rule.note_required THEN 'note_required'
                ELSE 'resolved'
            END AS outcome
        FROM waops.check_escalations(p_ids, p_versions, p_actor_id, true, true) AS asked
        LEFT JOIN LATERAL (
            SELECT state.escalation_id
            FROM public.escalated_conversations AS open
            JOIN waops.escalations_escalationstate AS state ON state.escalation_id = open.id
            WHERE NOT p_force
              AND open.resolved_at IS NULL
              AND open.whatsapp_number = asked.whatsapp_number
              AND open.instance_id IS NOT DISTINCT FROM asked.instance_id
              AND state.claimed_by_id IS NOT NULL
              AND state.claimed_by_id IS DISTINCT FROM p_actor_id
            ORDER BY state.escalation_id = asked.escalation_id DESC
            LIMIT 1
        ) AS holder ON true
        LEFT JOIN LATERAL (
            SELECT rule.note_required
            FROM waops.escalations_closingrule AS rule
            LEFT JOIN public.whatsapp_instances AS instance ON instance.id = asked.instance_id
            WHERE rule.business_id IS NULL OR rule.business_id = instance.user_id
            ORDER BY rule.business_id IS NULL
            LIMIT 1
        ) AS rule ON true
    )
    SELECT
        array_agg(decided.escalation_id ORDER BY decided.place),
        array_agg(decided.outcome ORDER BY decided.place),
        array_agg(CASE WHEN decided.outcome = 'held' THEN decided.other_id END ORDER BY decided.place),
        array_agg(decided.escalation_id) FILTER (WHERE decided.outcome = 'resolved')
    INTO v_ids, v_outcomes, v_others, v_wanted
    FROM decided;

    WITH candidate AS (
        SELECT
            escalation.id,
            escalation.id = ANY (v_wanted) AS is_asked,
            first_value(escalation.id) OVER (
                PARTITION BY escalation.whatsapp_number, escalation.instance_id
                ORDER BY escalation.id = ANY (v_wanted) DESC, escalation.id
            ) AS first_asked,
            row_number() OVER (ORDER BY escalation.id) AS place
        FROM public.escalated_conversations AS escalation
        WHERE escalation.resolved_at IS NULL
          AND EXISTS (
              SELECT FROM public.escalated_conversations AS asked
              WHERE asked.id = ANY (v_wanted)
                AND asked.whatsapp_number = escalation.whatsapp_number
                AND asked.instance_id IS NOT DISTINCT FROM escalation.instance_id
          )
    ),
    closed AS (
        UPDATE public.escalated_conversations AS escalation
        -- A microsecond apart: unique_active_escalation allows one row of a customer per resolved_at.
        SET resolved_at = v_now + candidate.place * interval '1 microsecond'
        FROM candidate
        WHERE escalation.id = candidate.id
        RETURNING
            escalation.id,
            escalation.instance_id,
            escalation.whatsapp_number,
            escalation.resolved_at,
            candidate.is_asked,
            candidate.first_asked
    ),
    state AS (
        UPDATE waops.escalations_escalationstate AS state
        SET version = state.version + 1,
            claimed_by_id = NULL, claimed_by_name = NULL, claimed_at = NULL, lease_until = NULL,
            snoozed_by_id = NULL, snoozed_by_name = NULL, snoozed_at = NULL, snoozed_until = NULL,
            snoozed_seen_after = NULL, snoozed_seen = '{}',
            outcome_id = p_outcome, note = p_note, resolved_by_id = p_actor_id
        FROM closed
        WHERE state.escalation_id = closed.id
    ),
    history AS (
        INSERT INTO waops.escalations_event
            (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
        SELECT
            closed.id,
            closed.instance_id,
            closed.whatsapp_number,
            CASE WHEN closed.is_asked THEN 'resolved' ELSE 'merged' END,
            closed.resolved_at,
            p_actor_id,
            p_actor_name,
            CASE
                WHEN closed.is_asked
                    THEN jsonb_strip_nulls(jsonb_build_object('outcome', p_outcome, 'note', NULLIF(p_note, '')))
                ELSE jsonb_build_object('into', closed.first_asked)
            END
                || CASE
                    WHEN before.claimed_by_id <> p_actor_id
                        THEN jsonb_build_object('from', before.claimed_by_id, 'from_name', before.claimed_by_name)
                    ELSE '{}'
                END
        FROM closed
        -- As it was when the statement began.
        LEFT JOIN waops.escalations_escalationstate AS before ON before.escalation_id = closed.id
    )
    SELECT array_agg(closed.first_asked) FILTER (WHERE NOT closed.is_asked)
    INTO v_merged_into
    FROM closed;

    RETURN QUERY
    SELECT *
    FROM waops.escalation_results(
        v_ids,
        v_outcomes,
        v_others,
        ARRAY(
            SELECT cardinality(array_positions(v_merged_into, item.id))
            FROM unnest(v_ids) WITH ORDINALITY AS item (id, place)
            ORDER BY item.place
        )
    );
END
$$;
