"""Values that Postgres stores and Python refuses: read without an error, shown as they are, sent back unchanged."""

import json
import pickle
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.template import Context, Template
from django.utils import formats, timezone
from django.utils.timesince import timesince

from escalations.models import Escalation
from tests import factories
from waops.database import moments
from waops.database.moments import OutOfRange, OutOfRangeDate

PAST = ["-infinity", "4714-11-24 00:00:00+00 BC", "0044-03-15 10:00:00+00 BC", "0001-01-01 00:00:00+00"]
FUTURE = ["9999-12-31 23:59:59.999999+00", "10000-01-01 00:00:00+00", "294276-12-31 23:59:59+00", "infinity"]

pytestmark = pytest.mark.django_db


def stored(expression: str) -> Any:
    """What a cursor reads of that expression."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date"])
@pytest.mark.parametrize("text", PAST + FUTURE)
def test_any_time_is_read_and_shown_as_what_it_is(text: str, kind: str) -> None:
    value = stored(f"'{text}'::{kind}")
    assert isinstance(value, OutOfRangeDate if kind == "date" else OutOfRange)
    assert value.text.split()[0] == text.split()[0]
    assert value.text.endswith("BC") == text.endswith("BC")
    assert (value.year < 2000) == (text in PAST)
    for shown in (str(value), value.isoformat(), f"{value:%Y}", formats.date_format(value), formats.localize(value)):
        assert shown == value.text
    assert deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
    assert pickle.loads(pickle.dumps(value)).text == value.text
    if kind != "timestamp":
        assert stored_again(value) == stored(f"'{text}'::{kind}::text")


def stored_again(value: date) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", [value])
        return str(cursor.fetchone()[0])


def test_ordinary_times_stay_plain() -> None:
    for expression in ("now()", "'1970-01-01 00:00+00'::timestamptz"):
        assert type(stored(expression)) is datetime
    assert type(stored("current_date")) is date


@pytest.mark.parametrize("text", PAST + FUTURE)
def test_it_can_be_calculated_with(text: str) -> None:
    value, now = moments.read(text), timezone.now()
    assert (value < now) == (now - value > timedelta()) == (text in PAST)
    assert sorted([value, now]) == ([value, now] if text in PAST else [now, value])
    for result in (value + timedelta(days=30), value - timedelta(days=1), value.replace(hour=0), value.date()):
        assert str(result) == value.text
    assert timezone.localtime(value).isoformat() == timezone.make_naive(value).isoformat() == value.text
    assert timesince(value) is not None
    shown = Template('{{ value }}|{{ value|date:"c" }}|{{ value|time:"H:i" }}|{{ value|date:"DATE_FORMAT" }}')
    assert shown.render(Context({"value": value})).split("|") == [value.text] * 4


@pytest.mark.parametrize("text", PAST + FUTURE)
def test_an_address_may_name_it(text: str) -> None:
    assert moments.parse(text).isoformat() == text or moments.parse(text) == moments.read(text)


@pytest.mark.parametrize("text", ["", "x", "infinite", "294277-01-01", "4714-11-23 BC", "10000-02-30", "0000-01-01"])
def test_an_address_may_not_name_what_postgres_cannot_store(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moments.parse(text)


@pytest.mark.parametrize("text", PAST + FUTURE)
def test_saving_a_row_writes_back_what_was_there(text: str) -> None:
    row = factories.escalation()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE escalated_conversations SET escalated_at = %s WHERE id = %s", [text, row.pk])
        before = stored("escalated_at::text FROM escalated_conversations")
        found = Escalation.objects.get(escalated_at=Escalation.objects.get().escalated_at)
        found.save()
        assert stored("escalated_at::text FROM escalated_conversations") == before


def test_a_list_may_hold_plain_times_too() -> None:
    times = [moments.read("infinity"), timezone.now(), moments.read("-infinity")]
    with connection.cursor() as cursor:
        for listed in (times, times[1:]):
            cursor.execute("SELECT %s", [listed])
            assert cursor.fetchone()[0] == listed


@pytest.mark.parametrize("expression", ["'1000000 years'::interval", "'-1000000 years'::interval"])
def test_any_span_is_read(expression: str) -> None:
    assert abs(stored(expression)) < timedelta(days=4_000_000)


@pytest.mark.parametrize("kind", ["json", "jsonb"])
@pytest.mark.parametrize("text", ["[" * 3000 + "]" * 3000, "1" * 5000, '{"a": [' * 300 + "]}" * 300])
def test_json_that_python_cannot_read_is_read_as_text(text: str, kind: str) -> None:
    value = stored(f"'{text}'::{kind}")
    assert isinstance(json.loads(value) if kind == "jsonb" else value, str)


def test_json_that_python_can_read_stays_what_it_is() -> None:
    value = [{"content": "[" * 3000 + "1" * 5000, "quoted": '"[\\'}] * 500
    row = factories.escalation(conversation_context=value)
    assert Escalation.objects.get(pk=row.pk).conversation_context == value


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_can_be_compared_and_formatted(text: str) -> None:
    if text != "NaN" and connection.pg_version < 140000:
        pytest.skip("numeric has no infinity before Postgres 14")
    value = stored(f"'{text}'::numeric")
    assert not 0 < value < 1
    assert formats.number_format(value, 2)


def test_midnight_utc_of_the_first_and_last_plain_year_moves_between_zones() -> None:
    for year in (moments.FIRST_YEAR, moments.LAST_YEAR - 1):
        assert timezone.localtime(datetime(year, 1, 1, tzinfo=UTC))
