"""The queue: what it shows, who sees it, and what it costs."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from escalations import procedures
from escalations.desk.queue import PER_PAGE
from escalations.models import EscalationState
from tests import factories, wording
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
    for shown in ("متجر النور", "alnoor", "منى Samir", "+20\u00a010\u00a012345678", "أين طلبي؟ order #12"):
        assert shown in text
    for shown in ("1 h 15 min", "wrote 1 h 20 min ago", wording.DETECTED_BY_AI):
        assert shown in text
    assert "hold text" not in text


def test_what_stands_side_by_side_in_a_row_is_parted_by_spaces(support) -> None:
    chat = factories.conversation()
    escalation = factories.escalation(chat, reason="user_request")
    factories.message(chat, "hello", timestamp=factories.ago(minutes=80))
    salma = factories.staff("Support", username="salma")
    procedures.snooze([escalation.pk], salma, None)
    text = " ".join(strip_tags(support.get(QUEUE, {"view": "snoozed"}).content.decode()).split())
    for words in (
        f"wrote 1 h 20 min ago {wording.ASKED_FOR_A_PERSON}",
        f"{wording.UNTIL_THE_CUSTOMER_WRITES} salma Claimed by",
    ):
        assert words in text


def test_a_message_without_a_plausible_time_is_shown_as_it_is_stored(support) -> None:
    chat = factories.conversation()
    escalation = factories.escalation(chat)
    message = factories.message(chat, "hello")
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE public.whatsapp_conversation_messages SET "timestamp" = 'infinity' WHERE id = %s""", [message.pk]
        )
    for page in (QUEUE, address(escalation)):
        text = support.get(page).content.decode()
        assert "wrote at infinity" in text
        assert "under a minute ago" not in text


def test_without_conversation_instance_or_reason_a_row_is_still_shown(support) -> None:
    escalation = factories.escalation(whatsapp_number="status@broadcast", reason=None)
    text = support.get(QUEUE).content.decode()
    for shown in (
        "status@broadcast",
        wording.NO_STORED_MESSAGE,
        wording.NO_WHATSAPP_NUMBER,
        wording.NO_REASON,
        address(escalation),
    ):
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
    assert sorted(escalation.open_rows for escalation in found) == [1, 2, 2]
    assert "escalated 2 times" in support.get(QUEUE).content.decode()


def test_resolved_escalations_are_listed_latest_first_with_who_did_it(support, sign_in) -> None:
    outside = factories.waiting(minutes=5)
    factories.resolve_elsewhere([outside.pk])
    here = factories.waiting(minutes=5)
    sign_in(factories.staff("Support", first_name="Salma", last_name="Hassan")).post(address(here, "resolve"))
    response = support.get(QUEUE, {"view": "resolved"})
    assert rows(response) == [here, outside]
    assert "Salma Hassan" in response.content.decode()
    assert wording.OUTSIDE_THIS_APP in response.content.decode()


@pytest.mark.parametrize("written", [*factories.WRITTEN, *factories.WRITTEN_IN_PART])
def test_a_phone_number_is_found_however_it_is_written(support, written) -> None:
    escalation = factories.escalation(whatsapp_number="201012345678")
    factories.escalation(whatsapp_number="966501112223")
    assert rows(support.get(QUEUE, {"q": written})) == [escalation]


@pytest.mark.parametrize("written", ["منصو", "ahmed", "محمد", "مُحَمَّد", "فاطمه", "حمد فاط"])
def test_a_customer_is_found_by_part_of_the_name_in_any_spelling(support, written) -> None:
    escalation = factories.waiting(minutes=5)
    factories.customer(escalation.instance, escalation.whatsapp_number, name="Ahmed منصور مُحَمَّد فاطمة")
    other = factories.waiting(minutes=5)
    factories.customer(other.instance, other.whatsapp_number, name="Mona")
    assert rows(support.get(QUEUE, {"q": written})) == [escalation]


@pytest.mark.parametrize("text", ["%", "\u064b", "_", "678", "nobody", "\\", "' OR 1=1 --", "x" * 100])
def test_an_unknown_name_finds_no_one(support, text) -> None:
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


@pytest.mark.parametrize("page", [QUEUE, f"{QUEUE}reports/"])
@pytest.mark.parametrize("field", ["business", "number"])
def test_a_filter_on_an_unknown_row_is_named_in_words(support, page, field) -> None:
    unknown = "12345678-1234-4234-8234-123456789012"
    text = support.get(page, {field: unknown}).content.decode()
    assert f">{unknown}<" not in text
    assert (f'<option value="{unknown}" selected>Unknown</option>' in text) == (field == "business" or page == QUEUE)


def test_a_number_without_escalations_is_named_in_the_filter(support) -> None:
    number = factories.instance(instance_name="alnoor")
    assert (
        f'<option value="{number.pk}" selected>alnoor</option>'
        in support.get(QUEUE, {"number": number.pk}).content.decode()
    )


def test_what_filters_offer_is_fetched_when_they_are_opened(support) -> None:
    escalation = factories.waiting(minutes=5)
    option = f'<option value="{escalation.instance_id}">'
    assert option not in support.get(QUEUE).content.decode()
    offered = support.get(f"{QUEUE}filters/", {"view": "open"}).content.decode()
    assert option in offered
    assert escalation.instance.business.business_name in offered
    assert "<html" not in offered
    assert option in support.get(QUEUE, {"choices": "1"}).content.decode()
    assert option not in support.get(f"{QUEUE}filters/", {"view": "snoozed"}).content.decode()


def test_a_business_without_a_name_is_offered_as_one(support) -> None:
    unnamed = factories.business(full_name=None, business_name="")
    factories.escalation(factories.conversation(factories.instance(unnamed)))
    elsewhere = factories.business("Elsewhere")
    page = support.get(QUEUE, {"choices": "1", "business": str(elsewhere.pk)}).content.decode()
    assert f">No name ({str(unnamed.pk)[:8]})</option>" in page
    assert ">Elsewhere</option>" in page


def test_home_and_queue_agree_on_how_many_wait(support) -> None:
    factories.waiting(minutes=5)
    asleep = factories.waiting(minutes=9)
    procedures.snooze([asleep.pk], factories.staff("Support"), None)
    assert support.get(QUEUE).context["counts"]["unclaimed"] == 1
    home = support.get("/").content.decode()
    assert '<span data-count="unclaimed">1</span>' in home
    assert f'<a href="{QUEUE}?view=snoozed">Snoozed</a> <span>1</span>' in home


def test_a_snooze_into_another_year_says_which(support) -> None:
    escalation = factories.waiting(minutes=5)
    procedures.snooze([escalation.pk], factories.staff("Support"), datetime(2099, 5, 1, 12, tzinfo=UTC))
    assert "1 May 2099" in support.get(QUEUE, {"view": "snoozed"}).content.decode()


def test_a_tab_counts_what_its_list_holds(db, client) -> None:
    me, colleague = factories.staff("Support"), factories.staff("Support")
    free, mine, theirs, lapsed, asleep, woken, done = (factories.waiting(minutes=5) for _ in range(7))
    procedures.claim([mine.pk, lapsed.pk], me)
    procedures.claim([theirs.pk], colleague)
    EscalationState.objects.filter(escalation=lapsed.pk).update(
        claimed_at=factories.ago(minutes=20), lease_until=factories.ago(minutes=10)
    )
    procedures.snooze([asleep.pk, woken.pk], colleague, None)
    EscalationState.objects.filter(escalation=woken.pk).update(
        snoozed_at=factories.ago(minutes=5), snoozed_until=factories.ago(minutes=1)
    )
    procedures.resolve([done.pk], me)
    client.force_login(me, "django.contrib.auth.backends.ModelBackend")
    listed = {"mine": {mine}, "unclaimed": {free, lapsed, woken}, "open": {free, mine, theirs, lapsed, woken}}
    for view, escalations in {**listed, "snoozed": {asleep}, "today": {done}, "resolved": {done}}.items():
        response = client.get(QUEUE, {"view": view})
        assert (view, set(rows(response))) == (view, escalations)
        assert response.context["page"].paginator.count == len(escalations)
        assert response.context["counts"].get(view, len(escalations)) == len(escalations)


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
def test_a_malformed_filter_is_refused_with_a_reason(support, query) -> None:
    response = support.get(QUEUE, query)
    assert response.status_code == 400
    assert wording.NOT_A_FILTER in response.content.decode()


def test_a_page_beyond_the_end_is_the_last_one(support) -> None:
    escalation = factories.waiting(minutes=5)
    assert rows(support.get(QUEUE, {"p": 7})) == [escalation]


def test_an_empty_queue_says_so(support) -> None:
    assert wording.NONE_WAITING in support.get(QUEUE).content.decode()
    assert wording.NONE_RESOLVED in support.get(QUEUE, {"view": "resolved"}).content.decode()


@pytest.mark.parametrize("state", ["open", "resolved"])
def test_a_page_full_of_rows_costs_as_many_queries_as_one(support, state) -> None:
    def cost() -> tuple[int, int]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = support.get(QUEUE, {"view": state})
        text = response.content.decode()
        for escalation in rows(response):
            assert address(escalation) in text
            assert escalation.last_message.content in text
        return len(queries), len(rows(response))

    resolved_at = factories.ago(minutes=1) if state == "resolved" else None
    factories.waiting(minutes=3, content="the only message", resolved_at=resolved_at)
    support.get(QUEUE, {"view": state})  # what changes rarely is read once
    one, count = cost()
    assert count == 1
    for number in range(PER_PAGE):
        escalation = factories.waiting(minutes=number, content=f"message {number}", resolved_at=resolved_at)
        factories.customer(escalation.instance, escalation.whatsapp_number, name=f"Customer {number}")
    many, count = cost()
    assert count == PER_PAGE
    assert one == many <= 10
