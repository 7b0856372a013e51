-- A turn as callers get it. If `p_state` is null, the state is what the holder of its token may do.
CREATE OR REPLACE FUNCTION waops.describe_turn(p_turn waops.conversations_turn, p_state text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_state CONSTANT text := coalesce(p_state, CASE
        WHEN p_turn.message_id IS NULL THEN 'lost'
        WHEN p_turn.outcome = 'superseded' THEN 'superseded'
        WHEN p_turn.ended_at IS NOT NULL THEN 'done'
        WHEN p_turn.replied_at IS NOT NULL THEN 'sending'
        ELSE 'yours'
    END);
BEGIN
    RETURN jsonb_build_object(
        'state', v_state,
        'token', CASE WHEN v_state IN ('yours', 'sending') THEN p_turn.token END,
        'attempt', p_turn.attempt,
        'leased_until', p_turn.leased_until,
        'quota_reserved', v_state IN ('yours', 'sending') AND p_turn.reserved_for IS NOT NULL,
        'superseded_by', p_turn.superseded_by,
        'outcome', nullif(p_turn.outcome, '')
    );
END
$$;
