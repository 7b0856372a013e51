"""Operators switch functions and traces in the app; callers and functions obey, and the changes are recorded."""

import time
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from waffle.models import Sample

from conversations.models import Conversation, Message
from tests import factories, wording
from waops.database.tracing import CAPACITY, FunctionTrace, TraceLine
from waops.dbops.adoption import DAY, HOUR, AdoptionReading, Unknown, adoption, take_reading
from waops.dbops.checklist import checklist
from waops.dbops.doctor import diagnose
from waops.dbops.rollout import traceable

PAGE = "/waops/operations/functions/"
SECRET = "my secret is 201012345678"
EVERY_CALL = {
    "message_arrived": "SELECT public.message_arrived(%(instance)s, '201012345678', %(text)s, 'wamid.1')",
    "get_conversation_with_context": "SELECT public.get_conversation_with_context(%(instance)s, '201012345678')",
    "store_message_with_update": "SELECT public.store_message_with_update(%(conversation)s, 'user', %(text)s, 'id3')",
    "store_messages": "SELECT public.store_messages(%(conversation)s, jsonb_build_array(jsonb_build_object("
    "'role', 'user', 'content', %(text)s::text, 'message_id', 'wamid.4')))",
    "check_and_update_ai_usage": "SELECT public.check_and_update_ai_usage(%(business)s)",
    "update_personality_usage_batch": "SELECT public.update_personality_usage_batch(ARRAY[%(business)s]::uuid[])",
    "reply_ready": "SELECT public.reply_ready((public.message_arrived(%(instance)s, '201012345678', %(text)s) ->>"
    " 'conversation_id')::uuid, %(text)s, 'wamid.2')",
}


@pytest.fixture
def operator(committed_database) -> Client:
    client = Client()
    client.force_login(factories.staff("Operators", username="amal"))
    return client


@pytest.fixture
def service(owner: psycopg.Connection) -> psycopg.Connection:
    """The service's own connection; the app need not run."""
    owner.execute("SET ROLE service_role")
    return owner


def call_values() -> dict[str, object]:
    conversation = factories.conversation()
    number = conversation.instance
    return {"instance": number.pk, "business": number.business_id, "conversation": conversation.pk, "text": SECRET}


def told(service: psycopg.Connection) -> dict[str, float]:
    (answer,) = service.execute("SELECT public.function_switches()").fetchone() or ()
    return answer["functions"]


def test_a_percentage_is_changed_and_the_next_call_is_told(operator: Client, service: psycopg.Connection):
    assert told(service)["message_arrived"] == 100
    response = operator.post(f"{PAGE}percent/", {"function": "message_arrived", "percent": "30.5"})
    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert told(service)["message_arrived"] == 30.5
    text = operator.get(PAGE).content.decode()
    assert 'value="30.5"' in text
    assert "100 % → 30.5 %" in text
    assert "amal" in text
    sample = Sample.objects.get(name="message_arrived")
    assert "100 % → 30.5 %" in factories_history(sample)


def factories_history(sample: Sample) -> str:
    """The sample's own history page, as a superuser sees it."""
    client = Client()
    client.force_login(factories.staff(is_superuser=True))
    return client.get(f"/waffle/sample/{sample.pk}/history/").content.decode()


@pytest.mark.parametrize("percent", ["", "-1", "100.1", "NaN", "1e9", "x", "1" * 400])
def test_an_invalid_percentage_is_refused(operator: Client, percent: str):
    response = operator.post(f"{PAGE}percent/", {"function": "message_arrived", "percent": percent})
    assert response.status_code == 400
    assert Sample.objects.get(name="message_arrived").percent == Decimal(100)


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("percent/", {"function": "nonsense", "percent": "1"}),
        ("trace/", {"function": "nonsense", "minutes": "15"}),
        ("trace/", {"function": "message_arrived", "minutes": "99999"}),
        ("trace/", {"function": "message_arrived"}),
    ],
)
def test_what_is_not_offered_is_refused(operator: Client, address: str, data: dict[str, str]):
    assert operator.post(PAGE + address, data).status_code == 400
    assert not FunctionTrace.objects.exists()


@pytest.mark.parametrize("address", ["percent/", "trace/"])
def test_others_may_not(committed_database, address: str):
    client = Client()
    client.force_login(factories.staff("Support"))
    data = {"function": "message_arrived", "percent": "1", "minutes": "15"}
    assert client.post(PAGE + address, data).status_code == 403
    assert Sample.objects.get(name="message_arrived").percent == 100


def test_every_function_that_can_be_traced_is_tried_here():
    assert set(EVERY_CALL) == traceable()


@pytest.mark.parametrize("function", EVERY_CALL)
def test_a_traced_function_writes_a_line_without_texts(operator: Client, service: psycopg.Connection, function: str):
    values = call_values()
    service.execute(EVERY_CALL[function], values)
    assert not TraceLine.objects.exists()

    assert operator.post(f"{PAGE}trace/", {"function": function, "minutes": "15"}).status_code == 302
    service.execute(EVERY_CALL[function], values)
    (line,) = TraceLine.objects.all()
    assert line.function == function
    assert 0 < line.milliseconds < 60_000
    for personal in (SECRET, "20101", "wamid"):
        assert personal not in str(line.details)
    text = operator.get(PAGE).content.decode()
    assert next(iter(line.details)) in text
    assert "15 min" in text
    assert operator.get(f"{PAGE}?function={function}").status_code == 200

    operator.post(f"{PAGE}trace/", {"function": function, "minutes": "0"})
    service.execute(EVERY_CALL[function], values)
    assert TraceLine.objects.count() == 1


def test_an_address_for_no_function_is_refused(operator: Client):
    assert operator.get(f"{PAGE}?function=nonsense").status_code == 400


def test_a_trace_ends_by_itself(operator: Client, service: psycopg.Connection):
    operator.post(f"{PAGE}trace/", {"function": "check_and_update_ai_usage", "minutes": "1440"})
    trace = FunctionTrace.objects.get()
    assert timedelta(hours=23, minutes=59) < trace.until - timezone.now() <= timedelta(hours=24)
    FunctionTrace.objects.update(until=timezone.now())
    service.execute("SELECT public.check_and_update_ai_usage(NULL)")
    assert not TraceLine.objects.exists()


def test_a_trace_of_more_than_a_day_cannot_be_stored(owner: psycopg.Connection):
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("INSERT INTO waops.function_trace VALUES ('x', now(), now() + interval '25 hours')")


def test_functions_look_for_a_trace_only_until_the_last_one_ends(owner: psycopg.Connection):
    """The end of all traces is in a sequence, which costs a call a microsecond."""
    end = "SELECT last_value > extract(epoch FROM now()) FROM waops.traced_until"
    assert owner.execute(end).fetchone() == (False,)
    owner.execute("INSERT INTO waops.function_trace VALUES ('x', now(), now() + interval '1 hour')")
    assert owner.execute(end).fetchone() == (True,)
    owner.execute("DELETE FROM waops.function_trace")
    assert owner.execute(end).fetchone() == (False,)


def test_lines_are_written_over_the_oldest(owner: psycopg.Connection):
    assert owner.execute(
        "SELECT max_value, cycle FROM pg_sequences WHERE sequencename = 'function_trace_slot'"
    ).fetchone() == (CAPACITY, True)
    owner.execute("ALTER SEQUENCE waops.function_trace_slot MAXVALUE 3")
    owner.execute("INSERT INTO waops.function_trace VALUES ('x', now(), now() + interval '1 hour')")
    for number in range(5):
        owner.execute("SELECT waops.trace_call('x', now(), jsonb_build_object('n', %s::int))", [number])
    assert sorted(line.details["n"] for line in TraceLine.objects.all()) == [2, 3, 4]


def test_a_locked_trace_delays_a_message_once(service: psycopg.Connection, committed_database: str):
    values = call_values()
    with psycopg.connect(committed_database) as holder:
        holder.execute("LOCK TABLE waops.function_trace IN ACCESS EXCLUSIVE MODE")
        service.execute("SET statement_timeout = '1s'")
        with service.transaction():
            for _ in range(50):
                service.execute(EVERY_CALL["message_arrived"], values)
            (setting,) = service.execute("SHOW lock_timeout").fetchone() or ()
    assert setting == "0"


def reading(inserted: int, by_function: int, **ago: float) -> None:
    AdoptionReading.objects.create(at=factories.ago(**ago), inserted=inserted, by_function=by_function)


def test_the_share_is_that_between_two_readings(db):
    reading(1000, 10, hours=24)
    reading(1100, 60, hours=1)
    reading(1200, 160, minutes=0)
    assert adoption(HOUR).share == 1.0
    assert (adoption(DAY).share, adoption(DAY).messages) == (0.75, 200)


@pytest.mark.parametrize(
    ("readings", "why"),
    [
        ([], Unknown.NO_READING),
        ([(5, 5, 0)], Unknown.NO_READING),
        ([(5, 5, 10), (9, 9, 0)], Unknown.NO_READING),
        ([(5, 5, 120), (9, 9, 0)], Unknown.NO_READING),
        ([(5, 5, 60), (2, 6, 30), (9, 9, 0)], Unknown.WENT_BACK),
        ([(5, 5, 60), (6, 2, 30), (9, 9, 0)], Unknown.WENT_BACK),
        ([(5, 5, 60), (5, 5, 0)], Unknown.NO_MESSAGES),
    ],
)
def test_what_is_not_known_is_said(db, readings: list[tuple[int, int, int]], why: Unknown):
    for inserted, by_function, minutes in readings:
        reading(inserted, by_function, minutes=minutes)
    found = adoption(HOUR)
    assert (found.share, found.unknown) == (None, why)
    assert why.label


def test_each_stored_message_is_counted_once(service: psycopg.Connection, owner: psycopg.Connection):
    """By the functions that store, and by those that call them; a duplicate is none, a plain insert is another's."""
    values = call_values()
    for _ in range(2):
        for function in ("message_arrived", "reply_ready", "store_message_with_update", "store_messages"):
            service.execute(EVERY_CALL[function], values)
    service.execute("RESET ROLE")
    stored = Message.objects.count()
    factories.message(Conversation.objects.latest("started_at"))
    (drawn,) = owner.execute("SELECT last_value FROM waops.stored_by_function").fetchone() or ()
    assert drawn == stored


def test_the_share_of_messages_is_that_of_the_functions(owner: psycopg.Connection, committed_database: str):
    """The server's own count, as it stands once sessions have reported it."""
    with psycopg.connect(committed_database, autocommit=True) as writer:
        take_reading()
        AdoptionReading.objects.update(at=factories.ago(hours=1))
        values = call_values()
        for _ in range(6):
            writer.execute("SELECT public.store_message_with_update(%(conversation)s, 'user', 'x')", values)
        for _ in range(2):
            writer.execute(
                "INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content)"
                " VALUES (%(conversation)s, 'user', 'x')",
                values,
            )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (adoption(HOUR).messages < 8):
        AdoptionReading.objects.filter(at__gt=factories.ago(minutes=30)).delete()
        take_reading()
        time.sleep(0.1)
    assert (adoption(HOUR).share, adoption(HOUR).messages) == (0.75, 8)


def test_readings_are_taken_once_a_minute_in_passing(committed_database):
    for _twice in range(2):
        call_command("periodic", "--only=usage", verbosity=0)
        assert AdoptionReading.objects.count() == 1
    AdoptionReading.objects.all().delete()
    diagnose()
    checklist()
    assert AdoptionReading.objects.count() == 1


def test_without_the_sequence_nothing_fails(owner: psycopg.Connection):
    owner.execute("DROP SEQUENCE waops.stored_by_function")
    take_reading()
    assert not AdoptionReading.objects.exists()
    assert "callers_switched" not in [state.item.key for state in checklist() if state.done]


@pytest.mark.parametrize(("stored", "ticked"), [(98, False), (99, True)])
def test_the_checklist_ticks_itself(committed_database, stored: int, ticked: bool):
    reading(0, 0, hours=24)
    reading(100, stored, minutes=0)
    (state,) = [state for state in checklist() if state.item.key == "callers_switched"]
    assert state.done is ticked
    assert (wording.SHARE_OF_THE_LAST_DAY in state.note) is ticked


def test_doctor_tells_percentages_and_what_really_came(committed_database, settings):
    Sample.objects.update_or_create(name="message_arrived", defaults={"percent": 25})
    settings.MESSAGE_PATH_KILL_SWITCH = frozenset({"reply_ready"})
    reading(0, 0, hours=24)
    reading(100, 40, minutes=0)
    figures = {figures.key: figures for figures in diagnose().figures}
    assert {row.name: row.percent for row in figures["switches"].rows}["message_arrived"] == 0.25
    assert "reply_ready" in figures["switches"].note
    hour, day = figures["adoption"].rows
    assert (hour.share, day.share, day.messages) == (None, 0.4, 100)
