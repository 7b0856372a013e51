"""Closing escalations: who wins, what closes along, what is kept."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic

import psycopg
import pytest
from django.core.exceptions import PermissionDenied
from django.db import ProgrammingError, connection, transaction

from escalations.models import Escalation, Event
from escalations.procedures import Outcome, Result, resolve
from tests import factories
from waops.models import User


@pytest.fixture
def salma(db) -> User:
    return factories.staff("Support", username="salma", first_name="Salma", last_name="Hassan")


def test_it_closes_an_escalation_and_says_who_and_when(salma) -> None:
    escalation = factories.waiting(minutes=90)

    [result] = resolve([escalation.pk], salma)

    escalation.refresh_from_db()
    assert escalation.resolved_at is not None
    assert escalation.resolved_by is None
    assert result == Result(
        escalation_id=escalation.pk,
        whatsapp_number=escalation.whatsapp_number,
        outcome=Outcome.RESOLVED,
        kind="resolved",
        at=escalation.resolved_at,
        actor_id=salma.pk,
        actor_name="Salma Hassan",
        version=1,
    )
    event = Event.objects.get()
    assert (event.kind, event.escalation_id, event.actor, event.at) == (
        "resolved",
        escalation.pk,
        salma,
        escalation.resolved_at,
    )
    assert (event.whatsapp_number, event.instance_id) == (escalation.whatsapp_number, escalation.instance_id)


def test_it_is_one_round_trip(salma, django_assert_num_queries) -> None:
    escalations = [factories.waiting(minutes=5) for _ in range(5)]
    salma.has_perm("escalations.resolve_escalation")
    with django_assert_num_queries(1):
        results = resolve([escalation.pk for escalation in escalations], salma)
    assert [result.escalation_id for result in results] == [escalation.pk for escalation in escalations]
    assert {result.outcome for result in results} == {Outcome.RESOLVED}


@pytest.mark.parametrize("with_instance", [True, False])
def test_it_closes_the_duplicates_of_the_customer_along(salma, with_instance) -> None:
    number = factories.instance() if with_instance else None
    values = {"whatsapp_number": factories.phone(), "instance_id": number and number.pk}
    _drop_unique_index()
    rows = [factories.escalation(**values) for _ in range(3)]
    other = factories.escalation(instance_id=number and number.pk)
    elsewhere = factories.escalation(whatsapp_number=values["whatsapp_number"], instance_id=factories.instance().pk)

    [result] = resolve([rows[1].pk], salma)

    assert (result.outcome, result.merged) == (Outcome.RESOLVED, 2)
    closed = Escalation.objects.filter(resolved_at__isnull=False)
    assert {escalation.pk for escalation in closed} == {escalation.pk for escalation in rows}
    assert len({escalation.resolved_at for escalation in closed}) == 3
    assert set(Escalation.objects.filter(resolved_at=None)) == {other, elsewhere}
    assert {(event.escalation_id, event.kind) for event in Event.objects.all()} == {
        (rows[0].pk, "merged"),
        (rows[1].pk, "resolved"),
        (rows[2].pk, "merged"),
    }
    assert Event.objects.filter(kind="merged", details={"into": str(rows[1].pk)}).count() == 2


def test_duplicates_asked_for_together_are_each_resolved(salma) -> None:
    _drop_unique_index()
    values = {"whatsapp_number": factories.phone(), "instance_id": factories.instance().pk}
    first, second, third = (factories.escalation(**values) for _ in range(3))
    results = resolve([second.pk, first.pk, second.pk], salma)
    assert [(result.escalation_id, result.outcome) for result in results] == [
        (second.pk, Outcome.RESOLVED),
        (first.pk, Outcome.RESOLVED),
    ]
    assert sum(result.merged for result in results) == 1
    third.refresh_from_db()
    assert third.resolved_at is not None


def test_an_old_escalation_never_closes_the_customers_new_one(salma) -> None:
    chat = factories.conversation()
    old = factories.escalation(chat, resolved_at=factories.ago(days=1))
    new = factories.escalation(chat)
    [result] = resolve([old.pk], salma)
    assert (result.outcome, result.actor_name) == (Outcome.ALREADY_RESOLVED, None)
    new.refresh_from_db()
    assert new.resolved_at is None
    assert not Event.objects.exists()


def test_the_second_person_is_told_who_was_first_and_when(salma) -> None:
    escalation = factories.waiting(minutes=5)
    [first] = resolve([escalation.pk], salma)
    [second] = resolve([escalation.pk], factories.staff("Support"))
    assert second.outcome is Outcome.ALREADY_RESOLVED
    assert (second.actor_id, second.actor_name, second.at) == (salma.pk, "Salma Hassan", first.at)
    assert Event.objects.count() == 1


def test_resolved_by_the_deployed_function_has_a_time_and_no_name(salma) -> None:
    escalation = factories.waiting(minutes=5)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT public.resolve_escalation(%s, %s, NULL)", [escalation.whatsapp_number, escalation.instance_id]
        )
    escalation.refresh_from_db()
    [result] = resolve([escalation.pk], salma)
    assert (result.outcome, result.actor_name) == (Outcome.ALREADY_RESOLVED, None)
    assert result.at == escalation.resolved_at


def test_an_unknown_id_is_not_found(salma) -> None:
    unknown = uuid.uuid4()
    escalation = factories.waiting(minutes=5)
    assert [result.outcome for result in resolve([unknown, escalation.pk], salma)] == [
        Outcome.NOT_FOUND,
        Outcome.RESOLVED,
    ]


def test_without_the_permission_nothing_happens(db) -> None:
    escalation = factories.waiting(minutes=5)
    with pytest.raises(PermissionDenied):
        resolve([escalation.pk], factories.staff("Managers"))
    escalation.refresh_from_db()
    assert escalation.resolved_at is None


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_rest_callers_cannot_resolve(db, role) -> None:
    escalation = factories.waiting(minutes=5)
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"SET LOCAL ROLE {role}; SELECT waops.resolve_escalations('{{{escalation.pk}}}', NULL, 'anybody')"
        )
    escalation.refresh_from_db()
    assert escalation.resolved_at is None


@pytest.mark.parametrize("arguments", [(None, 1, "x"), ([], 1, None), ([], 1, "")])
def test_missing_arguments_are_refused_with_an_sqlstate(db, arguments) -> None:
    with connection.cursor() as cursor, pytest.raises(Exception, match="needs p_ids and p_actor_name") as error:
        cursor.execute("SELECT waops.resolve_escalations(%s::uuid[], %s, %s)", arguments)
    assert error.value.__cause__.sqlstate == "22004"


def test_an_unknown_actor_resolves_nothing(committed_database) -> None:
    escalation = factories.waiting(minutes=5)
    with (
        psycopg.connect(committed_database, autocommit=True) as other,
        pytest.raises(psycopg.errors.ForeignKeyViolation),
    ):
        other.execute("SELECT waops.resolve_escalations(%s, %s, %s)", [[escalation.pk], 10**9, "nobody"])
    escalation.refresh_from_db()
    assert escalation.resolved_at is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE waops.escalations_event SET actor_name = 'somebody else'",
        "DELETE FROM waops.escalations_event",
        "TRUNCATE waops.escalations_event",
    ],
)
def test_history_is_append_only(committed_database, statement) -> None:
    resolve([factories.waiting(minutes=5).pk], factories.staff("Support"))
    before = list(Event.objects.values())
    with (
        psycopg.connect(committed_database) as other,
        pytest.raises(psycopg.errors.RestrictViolation, match="append-only"),
    ):
        other.execute(statement)
    assert list(Event.objects.values()) == before


def test_of_twenty_people_at_once_exactly_one_wins(committed_database) -> None:
    people = [factories.staff("Support", first_name=f"Person {number}") for number in range(20)]
    escalation = factories.waiting(minutes=5)

    results = _at_once(committed_database, [([escalation.pk], person) for person in people])

    outcomes = [rows[0]["outcome"] for rows in results]
    assert outcomes.count("resolved") == 1
    assert outcomes.count("already_resolved") == 19
    winner = people[outcomes.index("resolved")]
    escalation.refresh_from_db()
    assert {(rows[0]["actor_name"], rows[0]["at"]) for rows in results} == {
        (winner.get_full_name(), escalation.resolved_at)
    }
    assert Event.objects.count() == 1


def test_overlapping_selections_in_any_order_never_deadlock(committed_database) -> None:
    _drop_unique_index()
    escalations = []
    for _ in range(10):
        chat = factories.conversation()
        escalations += [factories.escalation(chat), factories.escalation(chat)]
    ids = [escalation.pk for escalation in escalations]
    people = [factories.staff("Support") for _ in range(8)]
    calls = [(ids[shift:] + ids[:shift], person) for shift, person in zip(range(0, 16, 2), people, strict=True)]
    calls = [(selection if number % 2 else selection[::-1], person) for number, (selection, person) in enumerate(calls)]

    results = _at_once(committed_database, calls)

    wins = [row["escalation_id"] for rows in results for row in rows if row["outcome"] == "resolved"]
    assert sorted(wins) == sorted(ids)
    assert Event.objects.count() == 20
    assert not Escalation.objects.filter(resolved_at=None).exists()


def test_two_people_on_two_duplicates_of_one_customer(committed_database) -> None:
    _drop_unique_index()
    people = [factories.staff("Support") for _ in range(2)]
    for _ in range(10):
        chat = factories.conversation()
        pair = [factories.escalation(chat).pk for _ in range(2)]
        results = _at_once(committed_database, [([pair[0]], people[0]), ([pair[1]], people[1])])
        outcomes = sorted(rows[0]["outcome"] for rows in results)
        assert outcomes == ["already_resolved", "resolved"]
        assert sum(rows[0]["merged"] for rows in results) == 1


def test_a_duplicate_stays_open_if_the_row_asked_for_was_closed_in_between(committed_database) -> None:
    _drop_unique_index()
    person = factories.staff("Support")
    chat = factories.conversation()
    asked, duplicate = (factories.escalation(chat) for _ in range(2))
    with psycopg.connect(committed_database) as other, ThreadPoolExecutor() as pool:
        other.execute("UPDATE escalated_conversations SET resolved_at = now() WHERE id = %s", [asked.pk])
        waiting = pool.submit(_call, committed_database, [asked.pk], person)
        _wait_for_a_lock(committed_database)
        other.commit()
        [row] = waiting.result()
    assert (row["outcome"], row["actor_name"]) == ("already_resolved", None)
    duplicate.refresh_from_db()
    assert duplicate.resolved_at is None


def _drop_unique_index() -> None:
    """If two open rows of one customer can no longer exist, duplicates cannot be created."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS public.uniq_escalated_open")


def _call(dsn: str, ids: list[uuid.UUID], person: User, barrier: Barrier | None = None) -> list[dict]:
    with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row) as own:
        if barrier:
            barrier.wait(timeout=30)
        query = "SELECT * FROM waops.resolve_escalations(%s, %s, %s)"
        return own.execute(query, [ids, person.pk, person.get_full_name() or person.username]).fetchall()


def _at_once(dsn: str, calls: list[tuple[list[uuid.UUID], User]]) -> list[list[dict]]:
    barrier = Barrier(len(calls))
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: _call(dsn, *call, barrier), calls))


def _wait_for_a_lock(dsn: str) -> None:
    deadline = monotonic() + 10
    with psycopg.connect(dsn, autocommit=True) as watcher:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while watcher.execute(query).fetchone() == (0,):
            assert monotonic() < deadline, "no one waits"
