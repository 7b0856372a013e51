"""What live callers are told over REST, and what they report: the functions that need no app to run."""

import time

import psycopg
import pytest

from tests.conversations.message_path.rows import Rows

SWITCHES = "SELECT public.function_switches()"
REPORT = "SELECT public.report_fallback(%s, %s, %s)"
INCIDENTS = "SELECT procedure, kind, detail, occurrences FROM waops.waops_incident ORDER BY procedure, detail"
PERCENT = "UPDATE waops.waffle_sample SET percent = %s WHERE name = 'message_arrived'"


@pytest.fixture
def service(ours: Rows) -> Rows:
    """As the service's role, with its rights only."""
    ours.connection.execute("SET ROLE service_role")
    return ours


@pytest.fixture
def owner(ours: Rows):
    with psycopg.connect(ours.connection.info.dsn, autocommit=True) as connection:
        yield connection


def test_every_function_is_listed_with_its_share(service: Rows, owner: psycopg.Connection):
    everything = service.value(SWITCHES)
    assert everything["fresh_for"] == 5
    assert everything["functions"]["message_arrived"] == everything["functions"]["check_and_update_ai_usage"] == 100
    assert len(everything["functions"]) == len(owner.execute("SELECT FROM waops.waffle_sample").fetchall())


@pytest.mark.parametrize(("stored", "told"), [("30", 30), ("0", 0), ("12.5", 12.5), ("-1", 0), ("NaN", 100)])
def test_a_change_is_told_by_the_next_call(service: Rows, owner: psycopg.Connection, stored: str, told: float):
    service.value(SWITCHES)
    owner.execute(PERCENT, [stored])
    assert service.value(SWITCHES)["functions"]["message_arrived"] == told


GONE = {
    "schema": "ALTER SCHEMA waops RENAME TO gone",
    "table": "ALTER TABLE waops.waffle_sample RENAME TO gone",
    "column": "ALTER TABLE waops.waffle_sample RENAME percent TO gone",
    "right": "REVOKE ALL ON waops.waffle_sample FROM service_role",
}


@pytest.mark.parametrize("what", GONE)
def test_without_flags_nothing_is_listed(service: Rows, owner: psycopg.Connection, what: str):
    service.value(SWITCHES)
    owner.execute(GONE[what])
    assert service.value(SWITCHES) == {"functions": {}, "fresh_for": 5}
    service.connection.execute(REPORT, ["message_arrived", "42883", None])


@pytest.mark.parametrize("query", [SWITCHES, "SELECT public.report_fallback('message_arrived', '42883')"])
def test_a_lock_delays_no_caller_and_keeps_its_timeout(service: Rows, owner: psycopg.Connection, query: str):
    service.connection.execute("SET lock_timeout = '7s'")
    with owner.transaction():
        owner.execute("LOCK TABLE waops.waffle_sample, waops.waops_incident IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        with service.connection.transaction():
            service.connection.execute(query)
            assert service.value("SHOW lock_timeout") == "7s"
        assert time.monotonic() - begun < 0.1
    with service.connection.transaction():
        service.connection.execute(query)
        assert service.value("SHOW lock_timeout") == "7s"


def test_switches_are_read_in_a_read_only_transaction(service: Rows):
    """PostgREST runs a stable function in one when it is asked by GET."""
    service.connection.execute("SET default_transaction_read_only = on")
    assert service.value(SWITCHES)["functions"]
    service.connection.execute(REPORT, ["message_arrived", "42883", None])


def test_reports_are_counted(service: Rows, owner: psycopg.Connection):
    for _ in range(3):
        service.connection.execute(REPORT, ["message_arrived", "42883", "function does not exist"])
    service.connection.execute(REPORT, ["message_arrived", "PGRST202", None])
    assert owner.execute(INCIDENTS).fetchall() == [
        ("message_arrived", "fallback", "42883", 3),
        ("message_arrived", "fallback", "PGRST202", 1),
    ]


def test_hostile_reports_fill_no_table_and_keep_no_text(service: Rows, owner: psycopg.Connection):
    secret = "the customer said 201012345678"
    calls = [(None, None, None), ("", "", ""), ("x" * 100_000, secret, secret), (secret, "42883 or so", secret)]
    for number, arguments in enumerate([*calls, *[(f"name{n}", f"bad {n}", secret) for n in range(20)]], 1):
        service.connection.execute(REPORT, arguments)
        assert owner.execute(INCIDENTS).fetchall() == [("other", "fallback", "other", number)]
    assert owner.execute("SELECT count(*) FROM waops.waops_incident AS i WHERE i::text ~ '2010'").fetchall() == [(0,)]
