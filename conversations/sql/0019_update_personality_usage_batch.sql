-- update_personality_usage for many messages at once: an id counts as often as it is given. `updated` is the number of
-- personalities, `unknown` lists the ids of none. Error: 22004 the array or one of its elements is null.
-- Rows are locked in the order of their ids, personalities before settings: two batches cannot deadlock.
CREATE OR REPLACE FUNCTION public.update_personality_usage_batch(p_personality_ids uuid[]) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_updated uuid[];
    v_unknown uuid[];
BEGIN
    IF p_personality_ids IS NULL OR array_position(p_personality_ids, NULL) IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'p_personality_ids must be an array without nulls';
    END IF;

    WITH used AS (
        SELECT given.id, count(*)::integer AS times FROM unnest(p_personality_ids) AS given (id) GROUP BY given.id
    ),
    locked AS (
        SELECT personality.id
        FROM public.ai_personalities AS personality
        WHERE personality.id = ANY (p_personality_ids)
        ORDER BY personality.id
        FOR NO KEY UPDATE
    ),
    updated AS (
        UPDATE public.ai_personalities AS personality
        SET usage_count = coalesce(personality.usage_count, 0) + used.times
        FROM locked
        JOIN used ON used.id = locked.id
        WHERE personality.id = locked.id
        RETURNING personality.id
    )
    SELECT coalesce(array_agg(updated.id), '{}') INTO v_updated FROM updated;

    WITH used AS (
        SELECT personality.whatsapp_instance_id AS instance_id, count(*)::integer AS times
        FROM unnest(p_personality_ids) AS given (id)
        JOIN public.ai_personalities AS personality ON personality.id = given.id
        GROUP BY personality.whatsapp_instance_id
    ),
    locked AS (
        SELECT config.id, used.times
        FROM public.whatsapp_ai_config AS config
        JOIN used ON used.instance_id = config.whatsapp_instance_id
        ORDER BY config.id
        FOR NO KEY UPDATE OF config
    )
    UPDATE public.whatsapp_ai_config AS config
    SET total_personality_switches = coalesce(config.total_personality_switches, 0) + locked.times
    FROM locked
    WHERE config.id = locked.id;

    v_unknown := ARRAY(
        SELECT DISTINCT given.id
        FROM unnest(p_personality_ids) AS given (id)
        WHERE given.id <> ALL (v_updated)
        ORDER BY given.id
    );
    IF current_setting('waops.trace', true) = 'on' THEN
        RAISE LOG 'update_personality_usage_batch: updated=% unknown=%', v_updated, v_unknown;
    END IF;
    RETURN json_build_object('success', true, 'updated', cardinality(v_updated), 'unknown', v_unknown);
END
$$;
