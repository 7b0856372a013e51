"""The statements behind the page of one business; usage/business.py turns the rows into the page."""

from usage.rollup import KEY, SANE_MOMENT, TOKENS

DETAIL = """
    SELECT counted.instance_id, counted.day, counted.model, counted.personality, counted.intent,
           sum(counted.replies)::bigint AS replies, sum(counted.untracked)::bigint AS untracked,
           sum(counted.total_tokens)::bigint AS tokens,
           price.currency::text,
           sum(
               counted.prompt_tokens * price.input_per_million
               + counted.completion_tokens * price.output_per_million
           ) / 1000000 AS cost
    FROM public.whatsapp_instances AS instance
    JOIN waops.usage_usagedetail AS counted ON counted.instance_id = instance.id
    LEFT JOIN LATERAL (
        SELECT price.currency, price.input_per_million, price.output_per_million
        FROM waops.usage_price AS price
        WHERE price.model = counted.model AND price.valid_from <= counted.day
        ORDER BY price.valid_from DESC
        LIMIT 1
    ) AS price ON true
    WHERE instance.user_id = %(business)s AND counted.period >= %(start)s AND counted.period < %(end)s
    GROUP BY 1, 2, 3, 4, 5, price.currency
    HAVING sum(counted.replies) <> 0
"""

# One statement for everything small: each column is a list.
SURROUNDINGS = """
    WITH instance AS (
        SELECT instance.id, instance.instance_name FROM public.whatsapp_instances AS instance
        WHERE instance.user_id = %(business)s
    )
    SELECT
        (SELECT rule.id FROM waops.usage_alertrule AS rule WHERE rule.business_id = %(business)s) AS own_rule,
        (SELECT jsonb_object_agg(instance.id, instance.instance_name) FROM instance) AS numbers,
        (
            SELECT jsonb_object_agg(personality.id, personality.name)
            FROM public.ai_personalities AS personality JOIN instance ON instance.id = personality.whatsapp_instance_id
        ) AS personalities,
        (
            SELECT jsonb_object_agg(hour, jsonb_build_array(replies, tokens))
            FROM (
                SELECT counted.hour, sum(counted.replies) AS replies, sum(counted.total_tokens) AS tokens
                FROM waops.usage_usagebyhour AS counted JOIN instance ON instance.id = counted.instance_id
                WHERE counted.period >= %(start)s AND counted.period < %(end)s
                GROUP BY counted.hour
            ) AS hours
        ) AS hours,
        (
            SELECT jsonb_agg(period ORDER BY period.start DESC)
            FROM (
                SELECT counted.period AS start,
                       sum(counted.replies) AS replies, sum(counted.total_tokens) AS tokens
                FROM waops.usage_usagebyperiod AS counted JOIN instance ON instance.id = counted.instance_id
                GROUP BY counted.period
                HAVING sum(counted.replies) <> 0
            ) AS period
        ) AS periods,
        (
            SELECT jsonb_agg(to_jsonb(change) ORDER BY change.id DESC)
            FROM (
                SELECT * FROM waops.usage_quotachange
                WHERE business_id = %(business)s ORDER BY id DESC LIMIT %(history)s
            ) AS change
        ) AS changes,
        (
            SELECT jsonb_agg(to_jsonb(top_up) ORDER BY top_up.expires_at)
            FROM waops.usage_topup AS top_up
            WHERE top_up.business_id = %(business)s AND top_up.outcome = 'active'
        ) AS top_ups
"""

# Reads only idx_ai_interactions_user, which has all three columns. The sums keep the planner from skipping through
# that index phone by phone, and from reading the table instead, both of which it estimates to be cheaper.
# Not ordered by the numbers, which are hidden from some readers.
TOP_CUSTOMERS = """
    SELECT reply.user_phone, count(*) AS replies
    FROM public.whatsapp_instances AS instance
    JOIN public.whatsapp_ai_interactions AS reply ON reply.whatsapp_instance_id = instance.id
    WHERE instance.user_id = %(business)s
      AND reply.created_at + interval '0' >= %(start)s AND reply.created_at + interval '0' < %(end)s
    GROUP BY reply.user_phone
    ORDER BY replies DESC, max(reply.created_at) DESC, reply.user_phone
    LIMIT %(limit)s
"""

REPLIES_OF_A_DAY = f"""
    SELECT reply.id, reply.created_at, reply.user_phone, reply.user_message, reply.ai_response,
           reply.response_model AS model, reply.total_tokens AS tokens
    FROM public.whatsapp_instances AS instance
    JOIN public.whatsapp_ai_interactions AS reply ON reply.whatsapp_instance_id = instance.id
    WHERE instance.user_id = %(business)s
      AND reply.created_at >= %(start)s AND reply.created_at < %(end)s
      AND (%(number)s::uuid IS NULL OR instance.id = %(number)s::uuid)
      AND (
          %(personality)s::text IS NULL
          OR {KEY.format("reply.metadata ->> 'personality_id'")} = %(personality)s::text
      )
    ORDER BY reply.created_at DESC, reply.id
    LIMIT %(limit)s OFFSET %(skip)s
"""  # noqa: S608

# Reads the replies themselves, priced by day, because hourly counts do not know which price applied. So it runs only
# for a single day, or on request.
HOURS = f"""
    SELECT counted.hour, price.currency::text,
           sum(counted.replies)::bigint AS replies, sum(counted.untracked)::bigint AS untracked,
           sum(counted.tokens)::bigint AS tokens,
           sum(
               counted.prompt_tokens * price.input_per_million + counted.completion_tokens * price.output_per_million
           ) / 1000000 AS cost
    FROM (
        SELECT extract(hour FROM {SANE_MOMENT.format("reply.created_at")} AT TIME ZONE %(zone)s)::integer AS hour,
               ({SANE_MOMENT.format("reply.created_at")} AT TIME ZONE %(zone)s)::date AS day,
               {KEY.format("reply.response_model")} AS model,
               count(*) AS replies,
               count(*) FILTER (WHERE reply.prompt_tokens IS NULL OR reply.completion_tokens IS NULL) AS untracked,
               coalesce(sum(reply.prompt_tokens), 0) AS prompt_tokens,
               coalesce(sum(reply.completion_tokens), 0) AS completion_tokens,
               sum({TOKENS.format("reply")}) AS tokens
        FROM public.whatsapp_instances AS instance
        JOIN public.whatsapp_ai_interactions AS reply ON reply.whatsapp_instance_id = instance.id
        WHERE instance.user_id = %(business)s
          AND reply.created_at >= %(start)s AND reply.created_at < %(end)s
          AND (%(number)s::uuid IS NULL OR instance.id = %(number)s::uuid)
          AND (
              %(personality)s::text IS NULL
              OR {KEY.format("reply.metadata ->> 'personality_id'")} = %(personality)s::text
          )
        GROUP BY 1, 2, 3
    ) AS counted
    LEFT JOIN LATERAL (
        SELECT price.currency, price.input_per_million, price.output_per_million
        FROM waops.usage_price AS price
        WHERE price.model = counted.model AND price.valid_from <= counted.day
        ORDER BY price.valid_from DESC
        LIMIT 1
    ) AS price ON true
    GROUP BY 1, 2
"""  # noqa: S608
