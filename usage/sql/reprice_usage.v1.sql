-- Split the counts per period by the prices in force, for these models. Figures derived from them (waops.usage_outlook)
-- are discarded.
CREATE OR REPLACE FUNCTION waops.reprice_usage(p_models text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('waops.usage', 0));
    DELETE FROM waops.usage_outlook;
    DELETE FROM waops.usage_usagebyperiod AS kept WHERE kept.model = ANY (p_models);
    INSERT INTO waops.usage_usagebyperiod (
        instance_id, period, model, price_id, replies, untracked, prompt_tokens, completion_tokens, total_tokens
    )
    SELECT
        priced.instance_id, priced.period, priced.model, coalesce(price.id, 0),
        sum(priced.replies), sum(priced.untracked),
        sum(priced.prompt_tokens), sum(priced.completion_tokens), sum(priced.total_tokens)
    FROM (
        SELECT
            detail.instance_id, detail.period, detail.day, detail.model,
            sum(detail.replies) AS replies, sum(detail.untracked) AS untracked,
            sum(detail.prompt_tokens) AS prompt_tokens, sum(detail.completion_tokens) AS completion_tokens,
            sum(detail.total_tokens) AS total_tokens
        FROM waops.usage_usagedetail AS detail
        WHERE detail.model = ANY (p_models)
        GROUP BY 1, 2, 3, 4
    ) AS priced
    LEFT JOIN LATERAL (
        SELECT price.id
        FROM waops.usage_price AS price
        WHERE price.model = priced.model AND price.valid_from <= priced.day
        ORDER BY price.valid_from DESC
        LIMIT 1
    ) AS price ON true
    GROUP BY 1, 2, 3, 4;
END
$$;
