"""The AI's answers, counted: bring the counts up to date, build them anew, prove them.

Everything here is one call of a function in the database (usage/sql), which takes turns with every other.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import InternalError, connection, transaction
from psycopg.errors import ReadOnlySqlTransaction

PATIENCE = 20_000
"""Changes that a page counts before it shows its numbers: some tenths of a second. More are a command's work."""

VERIFY = """
    WITH expected AS (
        SELECT answer.whatsapp_instance_id AS instance_id,
               (answer.created_at AT TIME ZONE %(time_zone)s)::date AS day,
               coalesce(answer.response_model, '') AS model,
               count(*) AS replies,
               sum(coalesce(answer.total_tokens,
                            coalesce(answer.prompt_tokens, 0) + coalesce(answer.completion_tokens, 0))) AS tokens
        FROM public.whatsapp_ai_interactions AS answer
        GROUP BY 1, 2, 3
    ),
    counted AS (
        SELECT instance_id, day, model, sum(replies) AS replies, sum(tokens) AS tokens
        FROM (
            SELECT detail.instance_id, detail.day, detail.model, detail.replies, detail.total_tokens
            FROM waops.usage_usagedetail AS detail
            UNION ALL
            SELECT pending.instance_id, (pending.answered_at AT TIME ZONE %(time_zone)s)::date, pending.model,
                   pending.sign,
                   pending.sign * coalesce(pending.total_tokens,
                       coalesce(pending.prompt_tokens, 0) + coalesce(pending.completion_tokens, 0))
            FROM waops.usage_pendinganswer AS pending
        ) AS part (instance_id, day, model, replies, tokens)
        GROUP BY 1, 2, 3
        HAVING sum(replies) <> 0 OR sum(tokens) <> 0
    )
    SELECT coalesce(sum(expected.replies), 0)::bigint,
           count(*) FILTER (
               WHERE (expected.replies, expected.tokens) IS DISTINCT FROM (counted.replies, counted.tokens)
           )
    FROM expected FULL JOIN counted USING (instance_id, day, model)
"""

AS_IT_IS = """
    SELECT state.built_at IS NOT NULL AND state.time_zone = %s,
           state.refreshed_at,
           (SELECT count(*) FROM (SELECT FROM waops.usage_pendinganswer LIMIT %s) AS pending),
           0,
           NULL
    FROM waops.usage_rollupstate AS state
"""


UNPRICED = """
    SELECT counted.model, sum(counted.replies)::bigint AS replies
    FROM waops.usage_usagebyperiod AS counted
    WHERE counted.price_id = 0 AND counted.model <> ''
    GROUP BY counted.model
    HAVING sum(counted.replies) > 0
    ORDER BY replies DESC, counted.model
    LIMIT 20
"""


@dataclass(frozen=True)
class Freshness:
    """How far the counts are. Not `is_built`: they mean nothing before `rebuild`. `pending` changes are not in them.

    `problem`: what the database lacks for anything to be counted, as the server says it.
    """

    is_built: bool
    as_of: datetime | None
    pending: int
    counted: int
    problem: str | None

    @property
    def is_complete(self) -> bool:
        return self.is_built and not self.pending


@dataclass(frozen=True)
class Proof:
    """A full count beside the counts: `differences` of (WhatsApp number, day, model)."""

    answers: int
    differences: int


def refresh(patience: int | None = PATIENCE) -> Freshness:
    """Count the changes since the last time, if there are at most `patience` of them; None: all of them.

    Counts that were never built, or for another time zone, are built if there are at most `patience` answers. While
    the database cannot be written to they are as they are.
    """
    try:
        return _refresh(patience, rebuild=False)
    except InternalError as error:
        if not isinstance(error.__cause__, ReadOnlySqlTransaction):
            raise
        return _as_it_is(patience)


def rebuild() -> Freshness:
    """Forget all counts and count every answer: about a minute for ten million of them. Writers are not held up."""
    return _refresh(None, rebuild=True)


def reprice(*models: str) -> None:
    """Assign these models' counts to the prices that are now in force."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT waops.reprice_usage(%s)", [list(models)])


def unpriced_models() -> list[tuple[str, int]]:
    """Models that answered on days for which they have no price, and how often; most replies first."""
    with connection.cursor() as cursor:
        cursor.execute(UNPRICED)
        return list(cursor.fetchall())


def verify() -> Proof:
    """Compare the counts with a count of all answers, in one snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(VERIFY, {"time_zone": settings.TIME_ZONE})
        return Proof(*cursor.fetchone())


def _refresh(patience: int | None, *, rebuild: bool) -> Freshness:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM waops.refresh_usage(%s, %s, %s)", [settings.TIME_ZONE, patience, rebuild])
        return Freshness(*cursor.fetchone())


def _as_it_is(patience: int | None) -> Freshness:
    with connection.cursor() as cursor:
        cursor.execute(AS_IT_IS, [settings.TIME_ZONE, patience and patience + 1])
        return Freshness(*cursor.fetchone())
