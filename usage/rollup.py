"""Count AI replies: update the counts, rebuild them, verify them.

Everything here is one call of a database function (usage/sql); these calls run one at a time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import InternalError, connection, transaction
from psycopg.errors import ReadOnlySqlTransaction

from waops.access import personal
from waops.access.readers import current
from waops.database.engine.saved import incidental

PATIENCE = 20_000
"""Changes that a page counts before it shows its numbers, in some tenths of a second. More are left to the command."""

SANE_MOMENT = "least(greatest({}, '2000-01-01 00:00+00'), '2100-01-01 00:00+00')"
"""When a reply was given, for the counts; SQL, the same as in `waops.count_answers`."""
PERIOD = """CASE WHEN {0} > '2000-01-01 00:00+00' THEN least({0}, '2100-01-01 00:00+00') ELSE to_timestamp(0) END"""
"""Start of the period that a reset at a given time begins; SQL, the same as in `waops.refresh_usage`."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Start of the period before the first known reset."""
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Replies and resets outside this range are counted as if they were at its ends."""
SANE_RESET = f"""CASE WHEN profile.last_responses_reset_date IS NOT NULL
    THEN {SANE_MOMENT.format("profile.last_responses_reset_date")} END"""
"""The last reset of a business, if any; SQL."""
KEY = "left(coalesce({}, ''), 200)"
"""A text by which replies are counted."""
TOKENS = """coalesce(
    {0}.total_tokens::bigint, coalesce({0}.prompt_tokens, 0)::bigint + coalesce({0}.completion_tokens, 0)
)"""
"""Tokens of a reply."""

VERIFY = f"""
    WITH expected AS (
        SELECT reply.whatsapp_instance_id AS instance_id,
               ({SANE_MOMENT.format("reply.created_at")} AT TIME ZONE %(time_zone)s)::date AS day,
               {KEY.format("reply.response_model")} AS model,
               count(*) AS replies,
               sum({TOKENS.format("reply")}) AS tokens
        FROM public.whatsapp_ai_interactions AS reply
        GROUP BY 1, 2, 3
    ),
    counted AS (
        SELECT instance_id, day, model, sum(replies) AS replies, sum(tokens) AS tokens
        FROM (
            SELECT detail.instance_id, detail.day, detail.model, detail.replies, detail.total_tokens
            FROM waops.usage_usagedetail AS detail
            UNION ALL
            SELECT pending.instance_id, ({SANE_MOMENT.format("pending.answered_at")} AT TIME ZONE %(time_zone)s)::date,
                   {KEY.format("pending.model")}, pending.sign, pending.sign * {TOKENS.format("pending")}
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
"""  # noqa: S608

AS_IT_IS = """
    SELECT state.built_at IS NOT NULL AND state.time_zone = %s AND coalesce(state.basis = waops.usage_basis(), false)
               AND NOT EXISTS (SELECT FROM waops.usage_missed AS missed WHERE missed.what = 'answers'),
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
      AND (%(instances)s::uuid[] IS NULL OR counted.instance_id = ANY (%(instances)s))
    GROUP BY counted.model
    HAVING sum(counted.replies) > 0
    ORDER BY replies DESC, counted.model
    LIMIT 20
"""


@dataclass(frozen=True)
class Freshness:
    """How current the counts are. Not `is_built`: they mean nothing before `rebuild`. `pending` changes are
    not in them.

    `problem`: what the database lacks to count anything, in the server's words.
    """

    is_built: bool
    as_of: datetime | None
    pending: int
    counted: int
    problem: str | None


@dataclass(frozen=True)
class Proof:
    """A full count compared with the counts: `differences` by (WhatsApp number, day, model)."""

    replies: int
    differences: int


def period_of(last_reset: datetime | None) -> datetime:
    """Start of the period that this reset began."""
    return EPOCH if last_reset is None or last_reset <= FIRST else min(last_reset, LAST)


def refresh(patience: int | None = PATIENCE) -> Freshness:
    """Count the changes since the last time, if there are at most `patience`; None: all of them.

    Counts that were never built, or for another time zone, are built if there are at most `patience` replies. While the
    database is read-only they stay as they are.
    """
    try:
        with incidental():
            return _refresh(patience, rebuild=False)
    except InternalError as error:
        if not isinstance(error.__cause__, ReadOnlySqlTransaction):
            raise
        return _as_it_is(patience)


def rebuild() -> Freshness:
    """Discard all counts and count every reply: about a minute for ten million. Writers are not blocked."""
    return _refresh(None, rebuild=True)


def reprice(*models: str) -> None:
    """Assign these models' counts to the prices currently in force."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT waops.reprice_usage(%s)", [list(models)])


def unpriced_models() -> list[tuple[str, int]]:
    """Models with replies on days without a price, and how many; most replies first. Limited to what the
    reader may see.
    """
    instances = current().instances
    with connection.cursor() as cursor:
        cursor.execute(UNPRICED, {"instances": None if instances is None else list(instances)})
        return [(personal.text(model), replies) for model, replies in cursor.fetchall()]


def verify() -> Proof:
    """Compare the counts with a full count of the replies, in one snapshot."""
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
