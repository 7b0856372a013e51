"""The counts equal a full count, whatever happens to the answers, in any order and at once."""

from datetime import UTC, date, datetime
from random import Random

import psycopg
import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import AIInteraction
from tests import factories, quick
from tests.usage.shops import is_complete
from tests.usage.test_changes import at_once
from usage import rollup
from usage.models import PendingAnswer, Price, Profile, UsageByDay, UsageByHour, UsageByPeriod, UsageDetail
from waops.dev.embedded.server import SUPERUSER

FULL_COUNT = """
    SELECT answer.whatsapp_instance_id, coalesce(period.starts_at, to_timestamp(0)),
           (answer.created_at AT TIME ZONE %(zone)s)::date, coalesce(response_model, ''),
           coalesce(metadata ->> 'personality_id', ''), coalesce(metadata ->> 'detected_intent', ''),
           count(*), count(*) FILTER (WHERE prompt_tokens IS NULL OR completion_tokens IS NULL),
           sum(coalesce(prompt_tokens, 0)), sum(coalesce(completion_tokens, 0)),
           sum(coalesce(total_tokens, coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)))
    FROM whatsapp_ai_interactions AS answer
    JOIN whatsapp_instances AS instance ON instance.id = answer.whatsapp_instance_id
    LEFT JOIN LATERAL (
        SELECT max(starts_at) AS starts_at FROM usage_period
        WHERE business_id = instance.user_id AND starts_at <= answer.created_at
    ) AS period ON true
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""
DETAIL = """
    SELECT instance_id, period, day, model, personality, intent,
           replies, untracked, prompt_tokens, completion_tokens, total_tokens
    FROM usage_usagedetail WHERE replies <> 0 ORDER BY 1, 2, 3, 4, 5, 6
"""


def rows(query: str, **values) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"zone": "Africa/Cairo", **values})
        return cursor.fetchall()


def assert_exact() -> None:
    expected = rows(FULL_COUNT)
    assert rows(DETAIL) == expected
    whole = sum(row[6] for row in expected)
    for table in (UsageByPeriod, UsageByDay, UsageByHour):
        assert sum(table.objects.values_list("replies", flat=True)) == whole, table
    for table in (UsageByPeriod, UsageByHour):
        assert sum(table.objects.values_list("total_tokens", flat=True)) == sum(row[10] for row in expected), table
    assert not PendingAnswer.objects.exists()
    assert rollup.verify() == rollup.Proof(replies=whole, differences=0)


def answer(number, **values) -> AIInteraction:
    return factories.interaction(factories.conversation(number), **values)


@pytest.fixture
def built(db) -> None:
    assert rollup.rebuild().is_built


def test_it_builds_itself_where_there_is_little(db) -> None:
    answer(factories.instance())
    assert is_complete(rollup.refresh())
    assert_exact()


def test_where_there_is_much_it_says_so_instead(db) -> None:
    number = factories.instance()
    for _ in range(3):
        answer(number)
    state = rollup.refresh(patience=2)
    assert (state.is_built, is_complete(state), UsageDetail.objects.count()) == (False, False, 0)
    rollup.refresh(patience=None)
    answer(number), answer(number), answer(number)
    state = rollup.refresh(patience=2)
    assert (state.is_built, is_complete(state), state.pending) == (True, False, 3)
    assert is_complete(rollup.refresh(patience=3))
    assert_exact()


def test_a_page_does_not_wait_long_for_a_long_count(committed_database) -> None:
    answer(factories.instance())
    rollup.rebuild()
    answer(factories.instance())
    with psycopg.connect(committed_database) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('waops.usage', 0))")
        state = rollup.refresh()
    assert (state.is_built, is_complete(state), state.counted) == (True, False, 0)
    assert rollup.refresh().counted == 1


def test_late_changed_and_deleted_answers(built) -> None:
    number = factories.instance()
    late = answer(number, created_at=factories.ago(days=40), response_model="a", prompt_tokens=5, completion_tokens=7)
    answer(number, response_model="a", total_tokens=90)
    rollup.refresh()
    assert_exact()
    AIInteraction.objects.filter(pk=late.pk).update(response_model="b", created_at=factories.ago(days=39))
    answer(number, created_at=factories.ago(days=400))
    rollup.refresh()
    assert_exact()
    AIInteraction.objects.filter(pk=late.pk).delete()
    rollup.refresh()
    assert_exact()


def test_a_deleted_number_leaves_nothing(built) -> None:
    number = factories.instance()
    answer(number)
    rollup.refresh()
    rows("DELETE FROM whatsapp_instances WHERE id = %(id)s RETURNING id", id=number.pk)
    rollup.refresh()
    assert not UsageDetail.objects.exists()
    assert_exact()


def test_truncated_replies_are_counted_again(built) -> None:
    answer(factories.instance())
    rollup.refresh()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE whatsapp_ai_interactions")
    assert is_complete(rollup.refresh())
    assert_exact()


def test_an_answer_is_stored_even_when_it_cannot_be_queued(built, recwarn) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE waops.usage_pendinganswer RENAME COLUMN intent TO purpose")
        answer(factories.instance())
        cursor.execute("ALTER TABLE waops.usage_pendinganswer RENAME COLUMN purpose TO intent")
    assert AIInteraction.objects.count() == 1
    assert not rollup.refresh(patience=0).is_built
    rollup.refresh()
    assert_exact()


@pytest.mark.parametrize("role", ["service_role", "authenticated"])
def test_it_counts_every_writer(committed_database, server, role) -> None:
    shop = factories.business()
    number = factories.instance(shop)
    rollup.rebuild()
    with psycopg.connect(server.dsn(SUPERUSER, connection.settings_dict["NAME"])) as service:
        service.execute(f"GRANT INSERT ON public.whatsapp_ai_interactions TO {role}")
        service.execute("CREATE POLICY own ON public.whatsapp_ai_interactions FOR INSERT WITH CHECK (true)")
        service.execute(f"SET LOCAL ROLE {role}")
        service.execute(
            "INSERT INTO public.whatsapp_ai_interactions (whatsapp_instance_id, user_message, user_phone, ai_response)"
            " VALUES (%s, '', '', '')",
            [number.pk],
        )
    rollup.refresh()
    assert_exact()
    assert UsageDetail.objects.get().instance_id == number.pk


def test_a_reset_splits_the_period_exactly_there(built) -> None:
    shop = factories.business(last_responses_reset_date=factories.ago(days=20))
    number = factories.instance(shop)
    for hours in (1, 2, 30, 31, 600):
        answer(number, created_at=factories.ago(hours=hours), response_model="m", prompt_tokens=1, completion_tokens=1)
    rollup.refresh()
    assert_exact()
    moment = factories.ago(hours=1, minutes=30)
    Profile.objects.filter(pk=shop.pk).update(last_responses_reset_date=moment)
    answer(number, created_at=factories.ago(hours=1, minutes=15))
    answer(number, created_at=factories.ago(hours=1, minutes=45))
    rollup.refresh()
    assert_exact()
    assert sum(UsageByPeriod.objects.filter(period=moment).values_list("replies", flat=True)) == 2


def test_days_are_those_of_the_time_zone_over_changes_of_the_clocks(built, settings) -> None:
    """Cairo, 2026: on 24 April the clock jumps from 0:00 to 1:00, on 29 October it shows 23:00 to 24:00 twice."""
    number = factories.instance()
    moments = {
        datetime(2026, 4, 23, 21, 59, tzinfo=UTC): date(2026, 4, 23),
        datetime(2026, 4, 23, 22, 0, tzinfo=UTC): date(2026, 4, 24),
        datetime(2026, 4, 24, 20, 59, tzinfo=UTC): date(2026, 4, 24),
        datetime(2026, 4, 24, 21, 0, tzinfo=UTC): date(2026, 4, 25),
        datetime(2026, 10, 29, 20, 30, tzinfo=UTC): date(2026, 10, 29),
        datetime(2026, 10, 29, 21, 30, tzinfo=UTC): date(2026, 10, 29),
        datetime(2026, 10, 29, 22, 0, tzinfo=UTC): date(2026, 10, 30),
    }
    for moment, day in moments.items():
        answer(number, created_at=moment, response_model=f"{moment} {day}")
    rollup.refresh()
    assert {f"{row.model}": row.day for row in UsageDetail.objects.all()} == {
        f"{moment} {day}": day for moment, day in moments.items()
    }
    settings.TIME_ZONE = "Asia/Kathmandu"
    assert is_complete(rollup.refresh())
    assert rows(DETAIL) == rows(FULL_COUNT, zone="Asia/Kathmandu")


def test_a_price_counts_from_its_day_on(built) -> None:
    number = factories.instance()

    def on(days: int) -> datetime:
        """By day, not by 24 hours: the clock may change in between."""
        return factories.ago(days=days).replace(hour=9) if days else factories.ago()

    for days, model in ((0, "m"), (5, "m"), (9, "m"), (0, "other")):
        answer(number, created_at=on(days), response_model=model, prompt_tokens=1)
    rollup.refresh()

    def priced() -> dict[int, int]:
        counted = UsageByPeriod.objects.filter(model="m", replies__gt=0).values_list("price_id", "replies")
        return dict(counted)

    assert priced() == {0: 3}
    values = {"model": "m", "input_per_million": 1, "output_per_million": 2}
    old = Price.objects.create(valid_from=factories.day_before(7), **values)
    assert priced() == {0: 1, old.pk: 2}
    new = Price.objects.create(valid_from=factories.day_before(2), **values)
    assert priced() == {0: 1, old.pk: 1, new.pk: 1}
    answer(number, created_at=on(3), response_model="m")
    rollup.refresh()
    assert priced() == {0: 1, old.pk: 2, new.pk: 1}
    old.delete()
    assert priced() == {0: 3, new.pk: 1}
    new.model = "other"
    new.save()
    assert priced() == {0: 4}
    assert UsageByPeriod.objects.get(model="other", replies__gt=0).price_id == new.pk


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(0, 3), st.integers(0, 60 * 24)),
        st.tuples(st.just("update"), st.integers(0, 30), st.integers(0, 60 * 24)),
        st.tuples(st.just("delete"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("reset"), st.integers(0, 1), st.integers(0, 60 * 24)),
        st.tuples(st.just("refresh"), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=quick.examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_changes_is_counted_exactly(built, steps) -> None:
    shops = [factories.business(last_responses_reset_date=None) for _ in range(2)]
    numbers = [factories.instance(shop) for shop in shops for _ in range(2)]
    ids: list = []
    for kind, which, hours in steps:
        moment = factories.ago(hours=hours)
        if kind == "insert":
            metadata = {"detected_intent": "sales"} if hours % 2 else {}
            row = answer(numbers[which], created_at=moment, response_model=f"m{hours % 3}", metadata=metadata)
            ids.append(row.pk)
        elif kind == "update" and ids:
            AIInteraction.objects.filter(pk=ids[which % len(ids)]).update(created_at=moment, prompt_tokens=hours)
        elif kind == "delete" and ids:
            AIInteraction.objects.filter(pk=ids.pop(which % len(ids))).delete()
        elif kind == "reset":
            Profile.objects.filter(pk=shops[which].pk).update(last_responses_reset_date=moment)
        elif kind == "refresh":
            rollup.refresh()
    rollup.refresh()
    assert_exact()


def test_it_is_exact_while_others_write_reset_and_rebuild(committed_database) -> None:
    shops = [factories.business() for _ in range(3)]
    chats = [factories.conversation(factories.instance(shop)) for shop in shops]

    def write(seed: int) -> None:
        random = Random(seed)
        ids: list = []
        for _ in range(60):
            moment = factories.ago(hours=random.randrange(200))
            match random.randrange(6):
                case 0 if ids:
                    AIInteraction.objects.filter(pk=ids.pop()).delete()
                case 1 if ids:
                    AIInteraction.objects.filter(pk=ids[0]).update(created_at=moment)
                case 2:
                    shop = random.choice(shops)
                    Profile.objects.filter(pk=shop.pk).update(last_responses_reset_date=moment)
                case _:
                    ids.append(factories.interaction(random.choice(chats), created_at=moment).pk)

    def work(index: int) -> None:
        if index < 4:
            write(index)
        else:
            for turn in range(25):
                rollup.rebuild() if index == 4 and turn % 5 == 0 else rollup.refresh()
                assert rollup.verify().differences == 0
        connections.close_all()

    at_once(work, 6)
    rollup.refresh()
    assert_exact()
