"""The turn of a message: one caller answers it, and its quota is counted once."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.core.management import call_command

from conversations.models import Turn
from tests import factories
from tests.conversations.message_path.callers import legacy, procedures
from tests.conversations.message_path.rows import Rows
from waops.database.calls import CallRefused

TURN = "waops.conversations_turn"


class Service:
    """The service's calls for one WhatsApp number."""

    def __init__(self, rows: Rows, **business: Any) -> None:
        self.rows = rows
        self.business = rows.business(**{"monthly_ai_response_limit": 100, **business})
        self.instance = rows.instance(self.business)

    def arrive(self, message_id: str, phone: str = "20100", lease: int | None = 60) -> dict[str, Any]:
        query = "SELECT public.message_arrived(%s, %s, 'hello', %s, p_lease_seconds => %s)"
        return self.rows.value(query, self.instance, phone, message_id, lease)

    def turn(self, message_id: str, phone: str = "20100") -> dict[str, Any]:
        return self.arrive(message_id, phone)["turn"]

    def reply(self, conversation: str, token: str | None, message_id: str | None = None) -> dict[str, Any]:
        query = "SELECT public.reply_ready(%s, 'hi', %s, p_turn => %s)"
        return self.rows.value(query, conversation, message_id, token)

    def answer(self, arrived: dict[str, Any]) -> dict[str, Any]:
        return self.reply(arrived["conversation_id"], arrived["turn"]["token"])

    def run_out(self) -> None:
        self.rows.connection.execute(f"UPDATE {TURN} SET leased_until = leased_until - interval '3 hours'")

    def sweep(self) -> int:
        swept = 0
        while self.rows.value("SELECT waops.end_run_out_turn(now() - interval '1 hour')"):
            swept += 1
        return swept

    def end(self, token: str, outcome: str) -> dict[str, Any]:
        return self.rows.value("SELECT public.end_turn(%s, %s)", token, outcome)

    def sent(self, token: str) -> dict[str, Any]:
        return self.rows.value("SELECT public.turn_sent(%s)", token)

    def state(self, token: str) -> dict[str, Any]:
        return self.rows.value("SELECT public.turn_state(%s)", token)

    def escalate(self, phone: str = "20100") -> UUID:
        return self.rows.escalation(self.instance, phone)

    @property
    def used(self) -> int:
        return self.rows.value("SELECT monthly_ai_responses_used FROM profiles WHERE id = %s", self.business)

    @property
    def replies(self) -> int:
        return self.rows.value("SELECT count(*) FROM whatsapp_conversation_messages WHERE role = 'assistant'")


@pytest.fixture
def service(ours: Rows) -> Service:
    return Service(ours)


def test_a_turn_from_arrival_to_the_sent_reply(service: Service):
    arrived = service.arrive("a")
    turn = arrived["turn"]
    assert (turn["state"], turn["attempt"], turn["quota_reserved"]) == ("yours", 1, True)
    assert (arrived["quota"]["allowed"], arrived["quota"]["used"], service.used) == (True, 1, 1)
    assert service.turn("a")["state"] == "in_progress"
    assert service.turn("a")["token"] is None

    reply = service.answer(arrived)
    assert (reply["turn"]["state"], reply["turn"]["stored"], reply["is_escalated"]) == ("sending", True, False)
    assert (reply["quota"]["allowed"], reply["quota"]["used"], service.used) == (True, 1, 1)
    assert service.turn("a")["state"] == "in_progress"
    assert service.state(turn["token"])["state"] == "sending"

    assert service.sent(turn["token"])["outcome"] == "answered"
    redelivered = service.turn("a")
    assert (redelivered["state"], redelivered["outcome"]) == ("done", "answered")
    assert (service.replies, service.used) == (1, 1)


def test_a_caller_that_does_not_ask_gets_no_turn(service: Service):
    arrived = service.arrive("a", lease=None)
    assert arrived["turn"] is None
    reply = service.reply(arrived["conversation_id"], None)
    assert (reply["turn"], reply["is_escalated"], service.used) == (None, False, 1)
    assert service.rows.value(f"SELECT count(*) FROM {TURN}") == 0


def test_a_redelivery_takes_over_when_the_lease_has_run_out(service: Service):
    first = service.arrive("a")
    service.run_out()
    second = service.arrive("a")
    assert second["duplicate"]
    assert (second["turn"]["state"], second["turn"]["attempt"]) == ("yours", 2)
    assert service.used == 1

    late = service.answer(first)
    assert (late["turn"]["state"], late["turn"]["stored"], late["message_id"]) == ("lost", False, None)
    assert service.state(first["turn"]["token"])["state"] == "lost"
    assert service.answer(second)["turn"]["stored"]
    assert (service.replies, service.used) == (1, 1)


def test_a_holder_whose_lease_ran_out_still_answers_if_no_one_took_over(service: Service):
    arrived = service.arrive("a")
    service.run_out()
    assert service.answer(arrived)["turn"]["stored"]


def test_two_quick_messages_get_one_reply(service: Service):
    first, second = service.arrive("a"), service.arrive("b")
    assert second["turn"]["state"] == "yours"
    assert service.used == 1
    early = service.answer(first)
    assert (early["turn"]["state"], early["turn"]["superseded_by"]) == ("superseded", second["message_id"])
    assert not early["turn"]["stored"]
    assert service.answer(second)["turn"]["stored"]
    assert (service.replies, service.used) == (1, 1)
    redelivered = service.turn("a")
    assert (redelivered["state"], redelivered["outcome"]) == ("done", "superseded")


def test_a_message_after_the_stored_reply_gets_a_new_turn(service: Service):
    service.answer(service.arrive("a"))
    assert service.answer(service.arrive("b"))["turn"]["stored"]
    assert (service.replies, service.used) == (2, 2)


def test_an_escalated_customer_gets_no_turn_and_no_late_reply(service: Service):
    arrived = service.arrive("a")
    service.escalate()
    assert service.state(arrived["turn"]["token"])["is_escalated"]
    reply = service.answer(arrived)
    assert (reply["turn"]["state"], reply["turn"]["stored"], reply["is_escalated"]) == ("escalated", False, True)
    assert (service.replies, service.used) == (0, 0)
    assert service.turn("b")["state"] == "escalated"
    assert service.turn("a")["outcome"] == "escalated"
    assert service.used == 0


@pytest.mark.parametrize("form", ["20100", "+20100", "0020100", "20100@s.whatsapp.net", "20100@c.us"])
def test_an_escalation_under_another_form_of_the_number_is_seen(service: Service, form: str):
    """The conversation has the plain digits; what wrote the escalation keeps another form."""
    late, asked = service.arrive("a"), service.arrive("b", "20101")
    service.arrive("c", "20102")
    for number in ("20100", "20101", "20102"):
        service.escalate(form.replace("20100", number))
    assert service.reply(late["conversation_id"], None)["is_escalated"]
    reply = service.answer(late)
    assert (reply["is_escalated"], reply["turn"]["state"], reply["turn"]["stored"]) == (True, "escalated", False)
    assert service.state(asked["turn"]["token"])["is_escalated"]
    service.run_out()
    service.sweep()
    assert service.turn("c", "20102")["outcome"] == "escalated"
    assert service.rows.value("SELECT public.get_instance_state(%s, '20100')", service.instance)["is_escalated"]


def test_a_quota_of_one_lets_one_through(ours: Rows):
    service = Service(ours, monthly_ai_response_limit=1)
    turns = [service.turn("a", f"2010{number}") for number in range(5)]
    assert [turn["state"] for turn in turns] == ["yours", *["over_quota"] * 4]
    assert ours.value(f"SELECT count(*) FROM {TURN}") == 1
    service.end(turns[0]["token"], "refused")
    assert service.turn("b", "20101")["state"] == "yours"
    assert service.used == 1


@pytest.mark.parametrize("outcome", ["escalated", "refused", "failed"])
def test_a_turn_that_ends_without_a_reply_gives_its_quota_back_once(service: Service, outcome: str):
    token = service.turn("a")["token"]
    for _ in range(2):
        ended = service.end(token, outcome)
        assert (ended["state"], ended["outcome"], service.used) == ("done", outcome, 0)
    assert service.turn("a")["outcome"] == outcome
    assert service.rows.value("SELECT count(*) FROM waops.usage_quotachange") == 0


def test_a_reset_counter_gets_nothing_back(service: Service):
    token = service.turn("a")["token"]
    service.rows.connection.execute(
        "UPDATE profiles SET monthly_ai_responses_used = 7, last_responses_reset_date = now() WHERE id = %s",
        [service.business],
    )
    service.end(token, "failed")
    assert service.used == 7


def test_a_reply_after_a_reset_counts_in_the_new_month(service: Service):
    arrived = service.arrive("a")
    service.rows.connection.execute(
        "UPDATE profiles SET monthly_ai_responses_used = 0, last_responses_reset_date = now() WHERE id = %s",
        [service.business],
    )
    assert service.answer(arrived)["quota"]["used"] == 1
    assert service.used == 1


def test_a_counter_never_falls_below_zero(service: Service):
    token = service.turn("a")["token"]
    service.rows.connection.execute("UPDATE profiles SET monthly_ai_responses_used = 0")
    service.end(token, "failed")
    assert service.used == 0


def test_a_reply_for_another_business_counts_there(service: Service):
    other = service.rows.business(monthly_ai_response_limit=100)
    arrived = service.arrive("a")
    query = "SELECT public.reply_ready(%s, 'hi', p_user_id => %s, p_turn => %s)"
    service.rows.value(query, arrived["conversation_id"], other, arrived["turn"]["token"])
    used = service.rows.value("SELECT monthly_ai_responses_used FROM profiles WHERE id = %s", other)
    assert (service.used, used) == (0, 1)


def test_an_unconfirmed_reply_is_not_sent_again(service: Service):
    arrived = service.arrive("a")
    service.answer(arrived)
    service.run_out()
    redelivered = service.turn("a")
    assert (redelivered["state"], redelivered["outcome"]) == ("done", "unconfirmed")
    assert service.used == 1
    assert service.sent(arrived["turn"]["token"])["outcome"] == "answered"


def test_a_repeated_reply_is_stored_and_counted_once(service: Service):
    arrived = service.arrive("a")
    for duplicate in (False, True):
        reply = service.reply(arrived["conversation_id"], arrived["turn"]["token"], "reply-a")
        assert (reply["duplicate"], reply["turn"]["state"], reply["turn"]["stored"]) == (duplicate, "sending", True)
    assert (service.replies, service.used) == (1, 1)


def test_a_reply_that_was_stored_without_the_turn_is_not_sent_again(service: Service):
    arrived = service.arrive("a")
    service.reply(arrived["conversation_id"], None, "reply-a")
    reply = service.reply(arrived["conversation_id"], arrived["turn"]["token"], "reply-a")
    assert (reply["turn"]["stored"], reply["turn"]["outcome"]) == (False, "unconfirmed")
    assert (service.replies, service.used) == (1, 1)
    assert service.sent(arrived["turn"]["token"])["outcome"] == "answered"
    assert service.used == 1


def test_a_turn_of_another_conversation_stores_nothing(service: Service):
    token = service.turn("a", "20101")["token"]
    arrived = service.arrive("a")
    assert service.reply(arrived["conversation_id"], token)["turn"]["state"] == "lost"
    assert service.state(token)["state"] == "yours"
    assert service.reply(arrived["conversation_id"], str(uuid4()))["turn"]["state"] == "lost"


def test_a_message_without_a_turn_on_record_counts_as_held_for_one_lease(service: Service):
    """Its first delivery asked for no turn, or could not have one."""
    service.arrive("a", lease=None)
    assert service.turn("a")["state"] == "in_progress"
    age = "UPDATE whatsapp_conversation_messages SET timestamp = timestamp - interval '2 minutes'"
    service.rows.connection.execute(age)
    assert service.turn("a")["state"] == "yours"
    arrived = service.arrive("b", "20101", lease=None)
    service.rows.connection.execute(age)
    service.reply(arrived["conversation_id"], None)
    assert service.turn("b", "20101")["outcome"] == "answered"


SWEPT = {"run_out": 0, "unconfirmed": 1, "answered": 1, "escalated": 0}


@pytest.mark.parametrize("outcome", SWEPT)
def test_the_sweep_ends_what_ran_out_long_ago(service: Service, outcome: str):
    arrived = service.arrive("a")
    if outcome == "unconfirmed":
        service.answer(arrived)
    elif outcome == "answered":
        service.reply(arrived["conversation_id"], None)
    elif outcome == "escalated":
        service.escalate()
    assert service.sweep() == 0
    service.run_out()
    assert service.sweep() == 1
    assert service.rows.value(f"SELECT outcome FROM {TURN}") == outcome
    assert service.used == service.replies == SWEPT[outcome]
    assert service.turn("a")["outcome"] == outcome


def test_the_sweep_leaves_conversations_in_use_for_later(service: Service):
    service.turn("a", "20101")
    service.turn("a", "20102")
    service.run_out()
    with psycopg.connect(service.rows.connection.info.dsn) as other:
        other.execute("SELECT FROM whatsapp_conversations WHERE user_phone = '20101' FOR UPDATE")
        assert service.sweep() == 1
    assert service.sweep() == 1


DAMAGE = {
    "dropped": f"DROP TABLE {TURN} CASCADE",
    "renamed": f"ALTER TABLE {TURN} RENAME TO gone",
    "without a column": f"ALTER TABLE {TURN} DROP COLUMN token",
    "schema gone": "DROP SCHEMA waops CASCADE",
    "closed": "REVOKE USAGE ON SCHEMA waops FROM service_role",
}


@pytest.mark.parametrize("damage", [*DAMAGE, "locked"])
def test_the_service_goes_on_without_the_table_of_turns(service: Service, damage: str):
    kept = service.arrive("before", "20101")["turn"]["token"]
    with psycopg.connect(service.rows.connection.info.dsn) as other:
        if damage == "locked":
            other.execute(f"LOCK TABLE {TURN}")
        else:
            service.rows.connection.execute(DAMAGE[damage])
        service.rows.connection.execute("SET ROLE service_role")
        arrived = service.arrive("a")
        assert (arrived["turn"], arrived["duplicate"]) == ({"state": "unknown"}, False)
        assert arrived["quota"]["allowed"]
        reply = service.reply(arrived["conversation_id"], kept)
        assert reply["turn"] == {"state": "unknown", "stored": True}
        assert reply["message_id"]
        assert service.arrive("a")["turn"]["state"] in ("unknown", "in_progress")
        for answer in (service.state(kept), service.sent(kept), service.end(kept, "failed")):
            assert answer["state"] == "unknown"
        service.rows.connection.execute("RESET ROLE")
        # Counted once for the turn that was had, and once for the reply.
        assert (service.replies, service.used) == (1, 2)


def test_a_turn_that_a_trigger_discards_is_unknown_and_reserves_nothing(service: Service):
    service.rows.connection.execute(
        "CREATE FUNCTION public.discard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        f" CREATE TRIGGER discard BEFORE INSERT ON {TURN} FOR EACH ROW EXECUTE FUNCTION public.discard()"
    )
    arrived = service.arrive("a")
    assert (arrived["turn"]["state"], arrived["quota"]["used"]) == ("unknown", 0)


def test_the_service_role_can_do_it_all(service: Service):
    service.rows.connection.execute("SET ROLE service_role")
    first = service.arrive("a")
    second = service.arrive("b")
    assert service.answer(first)["turn"]["state"] == "superseded"
    assert service.answer(second)["turn"]["stored"]
    assert service.sent(second["turn"]["token"])["outcome"] == "answered"
    third = service.arrive("c")
    assert service.end(third["turn"]["token"], "failed")["outcome"] == "failed"


def test_a_reply_under_the_id_of_a_customers_message_is_refused(service: Service):
    arrived = service.arrive("a")
    with pytest.raises(psycopg.DataError, match="id of a customer's message"):
        service.reply(arrived["conversation_id"], None, "a")
    with pytest.raises(psycopg.DataError, match="id of a customer's message"):
        service.reply(arrived["conversation_id"], arrived["turn"]["token"], "a")
    assert service.replies == 0
    assert service.state(arrived["turn"]["token"])["state"] == "yours"


@pytest.mark.parametrize("lease", [0, -1, 86_401])
def test_a_lease_out_of_range_is_refused(service: Service, lease: int):
    with pytest.raises(psycopg.DataError, match="p_lease_seconds must be from 1 to 86400"):
        service.arrive("a", lease=lease)


def test_an_unknown_outcome_is_refused(service: Service):
    with pytest.raises(psycopg.DataError, match="p_outcome must be"):
        service.end(service.turn("a")["token"], "answered")


@pytest.mark.django_db
def test_python_callers_have_turns_too():
    instance = factories.instance()
    arrived = procedures.message_arrived(instance.pk, "20100", "hello", "a", lease_seconds=60)
    token = arrived.turn.token
    assert procedures.turn_state(token).state == "yours"
    reply = procedures.reply_ready(arrived.message.conversation_id, "hi", turn=token)
    assert (reply.turn.state, reply.turn.stored) == ("sending", True)
    assert procedures.turn_sent(token).outcome == "answered"
    lost = procedures.reply_ready(arrived.message.conversation_id, "hi", turn=uuid4())
    assert (lost.message, lost.turn.state) == (None, "lost")
    again = procedures.message_arrived(instance.pk, "20100", "hello", "b", lease_seconds=60)
    assert procedures.end_turn(again.turn.token, "failed").outcome == "failed"
    with pytest.raises(CallRefused):
        procedures.end_turn(again.turn.token, "answered")


@pytest.mark.django_db
def test_the_legacy_path_knows_no_turns():
    instance = factories.instance()
    arrived = legacy.message_arrived(instance.pk, "20100", "hello", "a", lease_seconds=60)
    assert arrived.turn.state == "unknown"
    reply = legacy.reply_ready(arrived.message.conversation_id, "hi", turn=uuid4())
    assert (reply.turn.state, reply.turn.stored) == ("unknown", True)
    factories.escalation(instance_id=instance.pk, whatsapp_number="20100")
    refused = legacy.reply_ready(arrived.message.conversation_id, "hi", turn=uuid4())
    assert (refused.turn.state, refused.message) == ("escalated", None)
    for answer in (legacy.turn_state(uuid4()), legacy.turn_sent(uuid4()), legacy.end_turn(uuid4(), "failed")):
        assert answer.state == "unknown"


@pytest.mark.django_db
def test_the_command_ends_turns_that_ran_out(capsys):
    instance = factories.instance()
    procedures.message_arrived(instance.pk, "20100", "hello", "a", lease_seconds=60)
    call_command("periodic", "--only=turns")
    assert "0" in capsys.readouterr().out
    Turn.objects.update(leased_until=factories.ago(hours=2))
    call_command("periodic", "--only=turns")
    assert "1" in capsys.readouterr().out
    assert Turn.objects.get().outcome == Turn.Outcome.RUN_OUT
