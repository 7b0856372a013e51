-- Closes escalations by id, each with every other open escalation of the same customer and WhatsApp number.
-- One row per id asked for: outcome resolved, already_resolved (by whom and when; no name: outside this app) or
-- not_found. resolved_by stays null: it refers to auth.users, where staff are not.
CREATE OR REPLACE FUNCTION waops.resolve_escalations(
    p_ids uuid[],
    p_actor_id bigint,
    p_actor_name text
) RETURNS TABLE (
    escalation_id uuid,
    whatsapp_number text,
    outcome text,
    resolved_at timestamp with time zone,
    actor_id bigint,
    actor_name text,
    merged integer
)
    LANGUAGE plpgsql
    SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_locked uuid[];
    v_now timestamp with time zone;
    v_resolved uuid[];
    v_merged_into uuid[];
BEGIN
    IF p_ids IS NULL OR p_actor_name IS NULL OR p_actor_name = '' THEN
        RAISE EXCEPTION 'resolve_escalations needs p_ids and p_actor_name'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;

    -- In the order of ids whoever calls, so that two callers never wait for each other.
    SELECT array_agg(locked.id) INTO v_locked
    FROM (
        SELECT escalation.id
        FROM public.escalated_conversations AS escalation
        WHERE escalation.resolved_at IS NULL
          AND EXISTS (
              SELECT FROM public.escalated_conversations AS asked
              WHERE asked.id = ANY (p_ids)
                AND asked.resolved_at IS NULL
                AND asked.whatsapp_number = escalation.whatsapp_number
                AND asked.instance_id IS NOT DISTINCT FROM escalation.instance_id
          )
        ORDER BY escalation.id
        FOR UPDATE OF escalation
    ) AS locked;

    -- After the wait for the locks: later than whatever was resolved meanwhile.
    v_now := clock_timestamp();

    WITH candidate AS (
        SELECT
            escalation.id,
            escalation.id = ANY (p_ids) AS is_asked,
            -- False where the row asked for was closed during the wait: its duplicates then stay as they are.
            bool_or(escalation.id = ANY (p_ids)) OVER customer AS is_wanted,
            first_value(escalation.id) OVER (customer ORDER BY escalation.id = ANY (p_ids) DESC, escalation.id)
                AS first_asked,
            row_number() OVER (ORDER BY escalation.id) AS place
        FROM public.escalated_conversations AS escalation
        WHERE escalation.id = ANY (v_locked)
        WINDOW customer AS (PARTITION BY escalation.whatsapp_number, escalation.instance_id)
    ),
    closed AS (
        UPDATE public.escalated_conversations AS escalation
        -- A microsecond apart: unique_active_escalation allows one row of a customer per resolved_at.
        SET resolved_at = v_now + candidate.place * interval '1 microsecond'
        FROM candidate
        WHERE escalation.id = candidate.id AND candidate.is_wanted
        RETURNING
            escalation.id,
            escalation.instance_id,
            escalation.whatsapp_number,
            escalation.resolved_at,
            candidate.is_asked,
            candidate.first_asked
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
            CASE WHEN closed.is_asked THEN '{}' ELSE jsonb_build_object('into', closed.first_asked) END
        FROM closed
    )
    SELECT
        array_agg(closed.id) FILTER (WHERE closed.is_asked),
        array_agg(closed.first_asked) FILTER (WHERE NOT closed.is_asked)
    INTO v_resolved, v_merged_into
    FROM closed;

    RETURN QUERY
    SELECT
        asked.id,
        escalation.whatsapp_number,
        CASE
            WHEN escalation.resolved_at IS NULL THEN 'not_found'
            WHEN escalation.id = ANY (v_resolved) THEN 'resolved'
            ELSE 'already_resolved'
        END,
        escalation.resolved_at,
        event.actor_id,
        event.actor_name,
        coalesce(cardinality(array_positions(v_merged_into, asked.id)), 0)
    FROM (
        SELECT item.id, min(item.place) AS place
        FROM unnest(p_ids) WITH ORDINALITY AS item (id, place)
        WHERE item.id IS NOT NULL
        GROUP BY item.id
    ) AS asked
    LEFT JOIN public.escalated_conversations AS escalation ON escalation.id = asked.id
    LEFT JOIN waops.escalations_event AS event
        ON event.escalation_id = escalation.id
        AND event.at = escalation.resolved_at
        AND event.kind IN ('resolved', 'merged')
    ORDER BY asked.place;
END
$$;
