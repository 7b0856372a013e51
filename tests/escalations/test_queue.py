"""The queue: what it shows, to whom, and at what cost."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalations.pages import PER_PAGE
from tests import factories
from tests.escalations.conftest import QUEUE, address, rows


def test_the_queue_opens_on_what_is_open_longest_waiting_first(support) -> None:
    short, long, unknown = (
        factories.waiting(minutes=5),
        factories.waiting(minutes=500),
        factories.escalation(escalated_at=None, created_at=None),
    )
    created = factories.escalation(escalated_at=None, created_at=factories.ago(minutes=90))
    factories.waiting(minutes=1000, resolved_at=factories.ago(minutes=3))
    assert rows(support.get(QUEUE)) == [unknown, long, created, short]


def test_a_row_says_who_waits_for_what_since_when_and_where(support) -> None:
    number = factories.instance(factories.business("متجر النور"), instance_name="alnoor")
    chat = factories.conversation(number, "201012345678")
    factories.customer(number, chat.user_phone, name="منى Samir")
    factories.message(chat, "أين طلبي؟ order #12", timestamp=factories.ago(minutes=80))
    factories.message(chat, "hold text", "assistant", message_id="escalated_1700000000000")
    factories.escalation(chat, escalated_at=factories.ago(minutes=75), reason="ai_detected_intent")

    response = support.get(QUEUE)

    text = response.content.decode()
    for shown in ("متجر النور", "alnoor", "منى Samir", "+20\u00a0101\u00a0234\u00a05678", "أين طلبي؟ order #12"):
        assert shown in text
    for shown in ("1 h 15 min", "wrote 1 h 20 min ago", "The AI saw the need"):
        assert shown in text
    assert "hold text" not in text


def test_without_conversation_instance_or_reason_a_row_is_still_shown(support) -> None:
    case = factories.escalation(whatsapp_number="status@broadcast", reason=None)
    text = support.get(QUEUE).content.decode()
    for shown in ("status@broadcast", "No message is kept", "No WhatsApp number", "Not given", address(case)):
        assert shown in text


def test_duplicates_are_counted(support) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS public.uniq_escalated_open")
    chat = factories.conversation()
    factories.escalation(chat)
    factories.escalation(chat)
    factories.escalation(chat, resolved_at=factories.ago(days=1))
    factories.escalation(whatsapp_number=chat.user_phone)
    found = rows(support.get(QUEUE))
    assert sorted(case.open_rows for case in found) == [1, 2, 2]
    assert "escalated 2 times" in support.get(QUEUE).content.decode()


def test_resolved_cases_are_listed_latest_first_with_who_did_it(support, sign_in) -> None:
    outside = factories.waiting(minutes=5)
    factories.resolve_elsewhere([outside.pk])
    here = factories.waiting(minutes=5)
    sign_in(factories.staff("Support", first_name="Salma", last_name="Hassan")).post(address(here, "resolve"))
    response = support.get(QUEUE, {"view": "resolved"})
    assert rows(response) == [here, outside]
    assert "Salma Hassan" in response.content.decode()
    assert "outside this app" in response.content.decode()


@pytest.mark.parametrize(
    "written",
    [
        "201012345678",
        "+20 101 234 5678",
        "0020-101-234-5678",
        "01012345678",
        "٢٠١٠١٢٣٤٥٦٧٨",
        "۰۱۰ ۱۲۳۴ ۵۶۷۸",
        "\u202a+20 101 234 5678\u202c",
        "5678",
        "2010123",
        "  (20) 1012345678 ",
    ],
)
def test_a_phone_number_is_found_however_it_is_written(support, written) -> None:
    case = factories.escalation(whatsapp_number="201012345678")
    factories.escalation(whatsapp_number="966501112223")
    assert rows(support.get(QUEUE, {"q": written})) == [case]


def test_a_customer_is_found_by_part_of_the_name(support) -> None:
    case = factories.waiting(minutes=5)
    factories.customer(case.instance, case.whatsapp_number, name="Ahmed منصور")
    factories.waiting(minutes=5)
    assert rows(support.get(QUEUE, {"q": "منصو"})) == [case]
    assert rows(support.get(QUEUE, {"q": "ahmed"})) == [case]


@pytest.mark.parametrize("text", ["%", "_", "678", "nobody", "\\", "' OR 1=1 --", "x" * 100])
def test_what_nobody_is_called_finds_nobody(support, text) -> None:
    factories.escalation(whatsapp_number="201012345678")
    response = support.get(QUEUE, {"q": text})
    assert rows(response) == []
    assert "Nothing matches" in response.content.decode()


def test_filters_narrow_by_business_number_and_reason(support) -> None:
    first, second = (factories.waiting(minutes=minutes) for minutes in (20, 10))
    third = factories.waiting(minutes=5, reason=None)
    assert rows(support.get(QUEUE, {"business": str(first.instance.business_id)})) == [first]
    assert rows(support.get(QUEUE, {"number": str(second.instance_id)})) == [second]
    assert rows(support.get(QUEUE, {"reason": "user_request"})) == [first, second]
    assert rows(support.get(QUEUE, {"reason": "none-given"})) == [third]


def test_what_filters_offer_is_fetched_when_they_are_opened(support) -> None:
    case = factories.waiting(minutes=5)
    option = f'<option value="{case.instance_id}">'
    assert option not in support.get(QUEUE).content.decode()
    offered = support.get(f"{QUEUE}filters/", {"view": "open"}).content.decode()
    assert option in offered
    assert case.instance.business.business_name in offered
    assert "<html" not in offered
    assert option in support.get(QUEUE, {"choices": "1"}).content.decode()
    assert option not in support.get(f"{QUEUE}filters/", {"view": "snoozed"}).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {"view": "closed"},
        {"business": "1"},
        {"number": "'; DROP TABLE profiles"},
        {"p": "0"},
        {"p": "x"},
        {"p": "9" * 30},
        {"q": "x" * 101},
        {"q": "a\0b"},
        {"reason": "\0"},
    ],
)
def test_a_malformed_filter_is_refused_in_words(support, query) -> None:
    response = support.get(QUEUE, query)
    assert response.status_code == 400
    assert "The list cannot be narrowed to" in response.content.decode()


def test_a_page_beyond_the_end_is_the_last_one(support) -> None:
    case = factories.waiting(minutes=5)
    assert rows(support.get(QUEUE, {"p": 7})) == [case]


def test_an_empty_queue_says_so(support) -> None:
    assert "Nobody waits for a person" in support.get(QUEUE).content.decode()
    assert "No escalation has been resolved yet" in support.get(QUEUE, {"view": "resolved"}).content.decode()


@pytest.mark.parametrize("state", ["open", "resolved"])
def test_a_page_full_of_rows_costs_as_many_queries_as_one(support, state) -> None:
    def cost() -> tuple[int, int]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = support.get(QUEUE, {"view": state})
        text = response.content.decode()
        for case in rows(response):
            assert address(case) in text
            assert case.last_message.content in text
        return len(queries), len(rows(response))

    resolved_at = factories.ago(minutes=1) if state == "resolved" else None
    factories.waiting(minutes=3, content="the only message", resolved_at=resolved_at)
    support.get(QUEUE, {"view": state})  # what changes rarely is read once
    one, count = cost()
    assert count == 1
    for number in range(PER_PAGE):
        case = factories.waiting(minutes=number, content=f"message {number}", resolved_at=resolved_at)
        factories.customer(case.instance, case.whatsapp_number, name=f"Customer {number}")
    many, count = cost()
    assert count == PER_PAGE
    assert one == many <= 10
