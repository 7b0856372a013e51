-- Add AI replies to the counts, in one statement and therefore one snapshot: the pending ones or, with p_rebuild, all
-- of them, into counts that the caller has emptied. Returns how many changes were counted, and the WhatsApp numbers
-- among them that no longer exist. The caller holds the lock of waops.refresh_usage.
-- A reset that has become known since (a period not yet `counted`) splits the period before it. Counts were assigned to
-- periods without it, so pending replies are too; then every reply of that business since the reset moves from the one
-- period to the other, pending or not.
-- Columns may contain any value of their type: times are counted within 2000 to 2100, and texts by their first 200
-- characters, because they are keys. Prices, pages and the proof of usage/rollup.py do the same, by SANE_MOMENT there.
-- Figures derived from the counts (waops.usage_outlook) are discarded with them.
CREATE OR REPLACE FUNCTION waops.count_answers(
    p_time_zone text,
    p_rebuild boolean,
    OUT counted bigint,
    OUT gone uuid[]
)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
AS $$
#variable_conflict use_column
BEGIN
    WITH taken AS (
        DELETE FROM waops.usage_pendinganswer AS pending
        RETURNING
            pending.sign, pending.answered_at, pending.instance_id, pending.model, pending.personality, pending.intent,
            pending.prompt_tokens, pending.completion_tokens, pending.total_tokens
    ),
    split AS (
        SELECT period.business_id, min(period.starts_at) AS since
        FROM waops.usage_period AS period
        WHERE NOT period.counted AND NOT p_rebuild
        GROUP BY period.business_id
    ),
    known AS (
        UPDATE waops.usage_period AS period SET counted = true WHERE NOT period.counted
    ),
    answer AS (
        SELECT
            answer.created_at AS answered_at, answer.whatsapp_instance_id AS instance_id,
            coalesce(answer.response_model, '') AS model,
            coalesce(answer.metadata ->> 'personality_id', '') AS personality,
            coalesce(answer.metadata ->> 'detected_intent', '') AS intent,
            answer.prompt_tokens, answer.completion_tokens, answer.total_tokens
        FROM public.whatsapp_ai_interactions AS answer
        WHERE p_rebuild
        UNION ALL
        SELECT
            answer.created_at, answer.whatsapp_instance_id,
            coalesce(answer.response_model, ''),
            coalesce(answer.metadata ->> 'personality_id', ''),
            coalesce(answer.metadata ->> 'detected_intent', ''),
            answer.prompt_tokens, answer.completion_tokens, answer.total_tokens
        FROM split
        JOIN public.whatsapp_instances AS instance ON instance.user_id = split.business_id
        JOIN public.whatsapp_ai_interactions AS answer
            ON answer.whatsapp_instance_id = instance.id AND answer.created_at >= split.since
    ),
    -- `all_periods`: assigned with the periods known by now; otherwise with those that the counts know.
    written AS (
        SELECT taken.*, p_rebuild AS all_periods FROM taken WHERE NOT p_rebuild
        UNION ALL
        SELECT 1, answer.*, true FROM answer
        UNION ALL
        SELECT -1, answer.*, false FROM answer WHERE NOT p_rebuild
    ),
    change AS (
        SELECT
            written.sign, written.all_periods, written.instance_id,
            least(greatest(written.answered_at, '2000-01-01 00:00+00'), '2100-01-01 00:00+00') AS answered_at,
            left(written.model, 200) AS model,
            left(written.personality, 200) AS personality,
            left(written.intent, 200) AS intent,
            written.prompt_tokens, written.completion_tokens, written.total_tokens
        FROM written
    ),
    placed AS (
        SELECT
            change.sign, change.instance_id, change.model, change.personality, change.intent,
            coalesce(
                (
                    SELECT max(period.starts_at)
                    FROM waops.usage_period AS period
                    WHERE period.business_id = instance.user_id
                      AND period.starts_at <= change.answered_at
                      AND (period.counted OR change.all_periods)
                ),
                to_timestamp(0)
            ) AS period,
            change.answered_at,
            change.answered_at AT TIME ZONE p_time_zone AS local_time,
            change.prompt_tokens IS NULL OR change.completion_tokens IS NULL AS is_untracked,
            coalesce(change.prompt_tokens, 0) AS prompt_tokens,
            coalesce(change.completion_tokens, 0) AS completion_tokens,
            coalesce(
                change.total_tokens::bigint,
                coalesce(change.prompt_tokens, 0)::bigint + coalesce(change.completion_tokens, 0)
            ) AS total_tokens
        FROM change
        JOIN public.whatsapp_instances AS instance ON instance.id = change.instance_id
    ),
    detail AS (
        SELECT
            placed.instance_id, placed.period, placed.local_time::date AS day,
            placed.model, placed.personality, placed.intent,
            sum(placed.sign)::bigint AS replies, max(placed.answered_at) AS last_at,
            sum(placed.sign) FILTER (WHERE placed.is_untracked) AS untracked,
            sum(placed.sign * placed.prompt_tokens::bigint) AS prompt_tokens,
            sum(placed.sign * placed.completion_tokens::bigint) AS completion_tokens,
            sum(placed.sign * placed.total_tokens) AS total_tokens
        FROM placed
        GROUP BY 1, 2, 3, 4, 5, 6
    ),
    into_detail AS (
        INSERT INTO waops.usage_usagedetail AS kept (
            instance_id, period, day, model, personality, intent,
            replies, untracked, prompt_tokens, completion_tokens, total_tokens
        )
        SELECT
            detail.instance_id, detail.period, detail.day, detail.model, detail.personality, detail.intent,
            detail.replies, coalesce(detail.untracked, 0),
            detail.prompt_tokens, detail.completion_tokens, detail.total_tokens
        FROM detail
        WHERE p_rebuild OR detail.replies <> 0 OR coalesce(detail.untracked, 0) <> 0
            OR detail.prompt_tokens <> 0 OR detail.completion_tokens <> 0 OR detail.total_tokens <> 0
        ON CONFLICT (instance_id, period, day, model, personality, intent) DO UPDATE SET
            replies = kept.replies + excluded.replies,
            untracked = kept.untracked + excluded.untracked,
            prompt_tokens = kept.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = kept.completion_tokens + excluded.completion_tokens,
            total_tokens = kept.total_tokens + excluded.total_tokens
    ),
    priced AS (
        SELECT
            detail.instance_id, detail.period, detail.day, detail.model,
            sum(detail.replies) AS replies, sum(detail.untracked) AS untracked,
            sum(detail.prompt_tokens) AS prompt_tokens, sum(detail.completion_tokens) AS completion_tokens,
            sum(detail.total_tokens) AS total_tokens
        FROM detail
        GROUP BY 1, 2, 3, 4
    ),
    into_period AS (
        INSERT INTO waops.usage_usagebyperiod AS kept (
            instance_id, period, model, price_id, replies, untracked, prompt_tokens, completion_tokens, total_tokens
        )
        SELECT
            priced.instance_id, priced.period, priced.model, coalesce(price.id, 0),
            sum(priced.replies), coalesce(sum(priced.untracked), 0),
            sum(priced.prompt_tokens), sum(priced.completion_tokens), sum(priced.total_tokens)
        FROM priced
        LEFT JOIN LATERAL (
            SELECT price.id
            FROM waops.usage_price AS price
            WHERE price.model = priced.model AND price.valid_from <= priced.day
            ORDER BY price.valid_from DESC
            LIMIT 1
        ) AS price ON true
        GROUP BY 1, 2, 3, 4
        ON CONFLICT (instance_id, period, model, price_id) DO UPDATE SET
            replies = kept.replies + excluded.replies,
            untracked = kept.untracked + excluded.untracked,
            prompt_tokens = kept.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = kept.completion_tokens + excluded.completion_tokens,
            total_tokens = kept.total_tokens + excluded.total_tokens
    ),
    into_day AS (
        INSERT INTO waops.usage_usagebyday AS kept (day, instance_id, replies, last_at)
        SELECT detail.day, detail.instance_id, sum(detail.replies), max(detail.last_at)
        FROM detail
        GROUP BY 1, 2
        HAVING sum(detail.replies) <> 0
        ON CONFLICT (day, instance_id) DO UPDATE SET
            replies = kept.replies + excluded.replies,
            last_at = greatest(kept.last_at, excluded.last_at)
    ),
    into_hour AS (
        INSERT INTO waops.usage_usagebyhour AS kept (instance_id, period, hour, replies, total_tokens)
        SELECT
            placed.instance_id, placed.period, extract(hour FROM placed.local_time),
            sum(placed.sign), sum(placed.sign * placed.total_tokens)
        FROM placed
        GROUP BY 1, 2, 3
        ON CONFLICT (instance_id, period, hour) DO UPDATE SET
            replies = kept.replies + excluded.replies,
            total_tokens = kept.total_tokens + excluded.total_tokens
    ),
    missing AS (
        SELECT DISTINCT taken.instance_id
        FROM taken
        WHERE NOT EXISTS (SELECT FROM public.whatsapp_instances AS instance WHERE instance.id = taken.instance_id)
    ),
    -- The owner of a deleted number is no longer known: then all are forgotten.
    forgotten AS (
        DELETE FROM waops.usage_outlook AS outlook
        WHERE p_rebuild
           OR EXISTS (SELECT FROM missing)
           OR outlook.business_id IN (
               SELECT instance.user_id
               FROM placed
               JOIN public.whatsapp_instances AS instance ON instance.id = placed.instance_id
           )
    )
    SELECT
        (SELECT count(*) FROM placed),
        ARRAY(SELECT missing.instance_id FROM missing)
    INTO counted, gone;
END
$$;
