"""All the forms in which a number is written are one customer; groups and broadcasts are none."""

import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conversations.legacy import whatsapp_customer
from conversations.models import Conversation
from tests import factories, quick
from tests.conversations.message_path.callers import legacy, procedures
from tests.conversations.message_path.rows import Rows
from waops.database.calls import CallRefused

PLAIN = "201012345678"
FORMS = {
    "plain": PLAIN,
    "plus": f"+{PLAIN}",
    "leading zeros": f"00{PLAIN}",
    "spaces": "+20 101 234 5678",
    "no-break spaces": "20\u00a0101\u202f2345678",
    "dashes": "20-101-234-5678",
    "brackets": "+20 (101) 234.5678",
    "marks of direction": f"\u200e+{PLAIN}\u202c",
    "JID": f"{PLAIN}@s.whatsapp.net",
    "JID in capitals": f"{PLAIN}@S.WhatsApp.Net",
    "old JID": f"{PLAIN}@c.us",
    "device": f"{PLAIN}:12@s.whatsapp.net",
    "agent and device": f"{PLAIN}.0:12@s.whatsapp.net",
    "device alone": f"{PLAIN}:12",
    "Arabic digits": "٢٠١٠١٢٣٤٥٦٧٨",
    "Persian digits": "+۲۰۱۰۱۲۳۴۵۶۷۸",
}
NO_CUSTOMERS = [
    "120363041234567890@g.us",
    "201012345678-1612345678@g.us",
    "status@broadcast",
    "12345@broadcast",
    "120363041234567890@newsletter",
    "X@G.US",
]
LIDS = ["98765@lid", "98765:3@lid", "98765.1:3@LID", "98765@hosted.lid"]
CUSTOMER = "SELECT public.whatsapp_customer(%s, %s)"
ARRIVED = "SELECT public.message_arrived(%s, %s, 'hello')"


def test_every_form_opens_the_same_conversation(ours: Rows):
    instance = ours.instance()
    found = [ours.value(ARRIVED, instance, form) for form in FORMS.values()]
    assert [one["created"] for one in found] == [True] + [False] * (len(FORMS) - 1)
    assert len({one["conversation_id"] for one in found}) == 1
    assert ours.value("SELECT array_agg(user_phone) FROM whatsapp_conversations") == [PLAIN]


@pytest.mark.parametrize("written", FORMS)
@pytest.mark.parametrize("stored", ["plus", "JID", "old JID", "leading zeros"])
def test_a_conversation_that_is_stored_under_another_form_is_found(ours: Rows, stored: str, written: str):
    instance = ours.instance()
    conversation = ours.conversation(instance, user_phone=FORMS[stored])
    ours.escalation(instance, FORMS[stored])
    arrived = ours.value(ARRIVED, instance, FORMS[written])
    assert (arrived["conversation_id"], arrived["created"]) == (str(conversation), False)
    assert arrived["is_escalated"]
    assert arrived["conversation"]["user_phone"] == FORMS[stored]
    read = ours.value("SELECT public.get_conversation_with_context(%s, %s)", instance, FORMS[written])
    assert (read["conversation"]["id"], read["is_escalated"]) == (str(conversation), True)
    assert ours.value("SELECT public.get_instance_state(%s, %s)", instance, FORMS[written])["is_escalated"]


@pytest.mark.parametrize("written", FORMS)
def test_an_escalation_under_the_form_that_was_given_is_seen(ours: Rows, written: str):
    """The service's escalate_conversation keeps the form that it is given; the conversation has the plain one."""
    instance, phone = ours.instance(), FORMS[written]
    assert not ours.value(ARRIVED, instance, phone)["is_escalated"]
    ours.value("SELECT public.escalate_conversation(%s, %s, 'user_request')", phone, instance)
    assert ours.value(ARRIVED, instance, phone)["is_escalated"]
    turn = ours.value("SELECT public.message_arrived(%s, %s, 'hello', NULL, 10, 60) -> 'turn'", instance, phone)
    assert turn["state"] == "escalated"


def test_the_form_that_was_given_is_found_first(ours: Rows):
    instance = ours.instance()
    plain, other = (ours.conversation(instance, user_phone=phone) for phone in (PLAIN, f"+{PLAIN}"))
    for phone, conversation in ((PLAIN, plain), (f"+{PLAIN}", other), (f"00{PLAIN}", plain)):
        assert ours.value(ARRIVED, instance, phone)["conversation_id"] == str(conversation)


@pytest.mark.parametrize("address", NO_CUSTOMERS)
def test_an_id_of_no_customer_is_refused(ours: Rows, address: str):
    instance = ours.instance()
    ours.conversation(instance, user_phone=address)
    with pytest.raises(psycopg.DataError, match="must be a customer, not a group") as refused:
        ours.value(ARRIVED, instance, address)
    assert refused.value.sqlstate == "22023"
    read = ours.value("SELECT public.get_conversation_with_context(%s, %s)", instance, address)
    assert read["conversation"]["user_phone"] == address


def test_hidden_numbers_are_one_customer_in_every_form(ours: Rows):
    instance = ours.instance()
    assert {ours.value(CUSTOMER, instance, lid) for lid in LIDS} == {"98765@lid"}


@pytest.mark.parametrize("address", ["ali", "web:7", "5@example", "", "@", "+", "00"])
def test_any_other_id_stays_as_it_is(ours: Rows, address: str):
    assert ours.value(CUSTOMER, ours.instance(), address) == ("0" if address == "000" else address)


addresses = st.one_of(
    st.text(st.sampled_from("0129٠١۲+- ()[].:_@\u200e\u00a0ab\n/"), max_size=12),
    st.builds(
        "{}@{}".format,
        st.text(st.sampled_from("012٣:._-a"), max_size=8),
        st.sampled_from(["s.whatsapp.net", "c.us", "g.us", "lid", "hosted", "LID", "broadcast", "x", "C.us@lid"]),
    ),
)


@pytest.mark.django_db
@settings(max_examples=quick.examples(300), deadline=None, suppress_health_check=list(HealthCheck))
@given(addresses)
@example("+20 10:1\n2@c.us")
@example("00")
def test_both_paths_agree_on_every_address(address: str):
    instance = "00000000-0000-0000-0000-00000000dead"
    with connection.cursor() as cursor:
        cursor.execute(CUSTOMER, [instance, address])
        (answer,) = cursor.fetchone()
    assert answer == whatsapp_customer(instance, address)
    if answer is not None:
        assert whatsapp_customer(instance, answer) == answer


@pytest.mark.django_db
@pytest.mark.parametrize("path", [procedures, legacy])
def test_both_paths_open_one_conversation(path):
    instance = factories.instance()
    created = [path.message_arrived(instance.pk, form, "hello").created for form in FORMS.values()]
    assert created == [True] + [False] * (len(FORMS) - 1)
    assert Conversation.objects.get(instance=instance).user_phone == PLAIN
    for form in FORMS.values():
        assert path.get_conversation_with_context(instance.pk, form).conversation["user_phone"] == PLAIN
    with pytest.raises(CallRefused, match="must be a customer"):
        path.message_arrived(instance.pk, NO_CUSTOMERS[0], "hello")
