-- Write a note into the history of escalations, open or resolved, claimed by anyone or no one: noted, or refused.
CREATE OR REPLACE FUNCTION waops.note_escalations(
    p_ids uuid[],
    p_actor_id bigint,
    p_actor_name text,
    p_note text,
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
        SELECT asked.*, coalesce(asked.refusal, 'noted') AS outcome
        FROM waops.check_escalations(p_ids, p_versions, p_actor_id, false, true) AS asked
    ),
    history AS (
        INSERT INTO waops.escalations_event
            (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
        SELECT
            decided.escalation_id, decided.instance_id, decided.whatsapp_number,
            'noted', v_now, p_actor_id, p_actor_name, jsonb_build_object('note', p_note)
        FROM decided
        WHERE decided.outcome = 'noted'
    )
    SELECT array_agg(decided.escalation_id ORDER BY decided.place), array_agg(decided.outcome ORDER BY decided.place)
    INTO v_ids, v_outcomes
    FROM decided;

    RETURN QUERY SELECT * FROM waops.escalation_results(v_ids, v_outcomes);
END
$$;
