-- Undo resolving: reopened and unclaimed, or refused if the customer has been escalated again or the escalation is
-- open.
CREATE OR REPLACE FUNCTION waops.reopen_escalations(
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
    v_attempts CONSTANT integer := 3;
    v_now timestamp with time zone := waops.lock_escalations(p_ids, p_actor_name);
    v_ids uuid[];
    v_outcomes text[];
    v_others uuid[];
BEGIN
    FOR v_attempt IN 1 .. v_attempts LOOP
        BEGIN
            WITH candidate AS (
                SELECT
                    asked.*,
                    other.id AS other_id,
                    other.resolved_at IS NULL AS other_is_open,
                    -- Of several of one customer only the first asked for.
                    first_value(asked.escalation_id) OVER (
                        PARTITION BY asked.whatsapp_number, asked.instance_id
                        ORDER BY asked.refusal IS NOT NULL, asked.place
                    ) AS first_asked
                FROM waops.check_escalations(p_ids, p_versions, p_actor_id, false, true) AS asked
                LEFT JOIN LATERAL (
                    SELECT other.id, other.resolved_at
                    FROM public.escalated_conversations AS other
                    WHERE other.whatsapp_number = asked.whatsapp_number
                      AND other.instance_id IS NOT DISTINCT FROM asked.instance_id
                      AND other.id <> asked.escalation_id
                      AND (
                          other.resolved_at IS NULL
                          -- By name, because deployments differ in these columns.
                          OR coalesce(to_jsonb(other) ->> 'escalated_at', to_jsonb(other) ->> 'created_at')
                              ::timestamp with time zone > asked.resolved_at
                      )
                    ORDER BY other.resolved_at DESC NULLS FIRST
                    LIMIT 1
                ) AS other ON true
            ),
            decided AS (
                SELECT
                    candidate.*,
                    CASE
                        WHEN candidate.refusal = 'not_found' THEN candidate.refusal
                        WHEN candidate.resolved_at IS NULL THEN 'not_resolved'
                        WHEN candidate.other_is_open AND candidate.other_id IS NOT NULL THEN 'already_open'
                        WHEN candidate.other_id IS NOT NULL THEN 'escalated_since'
                        WHEN candidate.refusal IS NOT NULL THEN candidate.refusal
                        WHEN candidate.first_asked <> candidate.escalation_id THEN 'already_open'
                        ELSE 'reopened'
                    END AS outcome
                FROM candidate
            ),
            reopened AS (
                UPDATE public.escalated_conversations AS escalation
                SET resolved_at = NULL
                FROM decided
                WHERE escalation.id = decided.escalation_id AND decided.outcome = 'reopened'
            ),
            state AS (
                UPDATE waops.escalations_escalationstate AS state
                SET version = state.version + 1, outcome_id = NULL, note = '', resolved_by_id = NULL
                FROM decided
                WHERE state.escalation_id = decided.escalation_id AND decided.outcome = 'reopened'
            ),
            history AS (
                INSERT INTO waops.escalations_event
                    (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
                SELECT
                    decided.escalation_id, decided.instance_id, decided.whatsapp_number,
                    'reopened', v_now, p_actor_id, p_actor_name, '{}'
                FROM decided
                WHERE decided.outcome = 'reopened'
            )
            SELECT
                array_agg(decided.escalation_id ORDER BY decided.place),
                array_agg(decided.outcome ORDER BY decided.place),
                array_agg(
                    CASE
                        WHEN decided.outcome IN ('already_open', 'escalated_since')
                            THEN coalesce(decided.other_id, decided.first_asked)
                    END
                    ORDER BY decided.place
                )
            INTO v_ids, v_outcomes, v_others
            FROM decided;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            -- The service escalated one of these customers at this moment: now it is to be seen.
            IF v_attempt = v_attempts THEN
                RAISE;
            END IF;
        END;
    END LOOP;

    RETURN QUERY SELECT * FROM waops.escalation_results(v_ids, v_outcomes, v_others);
END
$$;
