-- update_personality_usage for many messages at once: an id counts as often as it is given. `updated` is the number of
-- personalities; `unknown` lists unknown ids. Error: 22004 the array or one of its elements is null.
-- A full counter stays at 2147483647.
-- Rows are locked in the order of their ids, personalities before settings: two batches cannot deadlock.
CREATE OR REPLACE FUNCTION public.update_personality_usage_batch(p_personality_ids uuid[]) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_is_traced boolean;
    v_begun CONSTANT timestamp with time zone := pg_catalog.clock_timestamp();
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
    v_setting text;
    v_updated uuid[];
    v_unknown uuid[];
BEGIN
    IF p_personality_ids IS NULL OR pg_catalog.array_position(p_personality_ids, NULL) IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'p_personality_ids must be an array without nulls';
    END IF;

    WITH used AS (
        SELECT given.id, pg_catalog.count(*) AS times
        FROM pg_catalog.unnest(p_personality_ids) AS given (id)
        GROUP BY given.id
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
        SET usage_count = least(coalesce(personality.usage_count, 0)::bigint + used.times, 2147483647)::integer
        FROM locked
        JOIN used ON used.id = locked.id
        WHERE personality.id = locked.id
        RETURNING personality.id
    )
    SELECT coalesce(pg_catalog.array_agg(updated.id), '{}') INTO v_updated FROM updated;

    WITH used AS (
        SELECT personality.whatsapp_instance_id AS instance_id, pg_catalog.count(*) AS times
        FROM pg_catalog.unnest(p_personality_ids) AS given (id)
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
    SET total_personality_switches
        = least(coalesce(config.total_personality_switches, 0)::bigint + locked.times, 2147483647)::integer
    FROM locked
    WHERE config.id = locked.id;

    v_unknown := ARRAY(
        SELECT DISTINCT given.id
        FROM pg_catalog.unnest(p_personality_ids) AS given (id)
        WHERE given.id <> ALL (v_updated)
        ORDER BY given.id
    );
    BEGIN
        v_setting := pg_catalog.set_config('lock_timeout', '10', true);
        v_is_traced := pg_catalog.pg_sequence_last_value('waops.traced_until'::regclass)
            > pg_catalog.date_part('epoch', pg_catalog.now());
        v_setting := pg_catalog.set_config('lock_timeout', v_lock_timeout, true);
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    IF v_is_traced THEN
        BEGIN
            PERFORM waops.trace_call('update_personality_usage_batch', v_begun, pg_catalog.jsonb_build_object(
                'updated', pg_catalog.cardinality(v_updated), 'unknown', pg_catalog.cardinality(v_unknown)
            ));
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;

    RETURN pg_catalog.json_build_object(
        'success', true, 'updated', pg_catalog.cardinality(v_updated), 'unknown', v_unknown
    );
END
$$;
