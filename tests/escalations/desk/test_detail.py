"""An escalation's page: what it shows, who sees it, what it costs, and where people go from it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from escalations.models import Escalation
from tests import factories, wording
from tests.escalations.conftest import QUEUE, address


def test_an_escalation_shows_the_conversation_with_the_point_of_escalation(support) -> None:
    chat = factories.conversation()
    start = datetime(2024, 3, 1, 12, tzinfo=UTC)
    for minute, (role, content) in enumerate([("user", "first"), ("assistant", "second"), ("user", "third")]):
        factories.message(chat, content, role, timestamp=start + timedelta(minutes=minute))
    escalation = factories.escalation(chat, escalated_at=start + timedelta(seconds=90))
    text = support.get(address(escalation)).content.decode()
    places = [
        text.index(part) for part in (">first<", ">second<", f"Escalated: {wording.ASKED_FOR_A_PERSON}", ">third<")
    ]
    assert places == sorted(places)


def test_earlier_escalations_are_marked_in_the_conversation_and_lead_to_their_pages(support) -> None:
    chat = factories.conversation()
    start = datetime(2024, 3, 1, 12, tzinfo=UTC)
    for number in range(120):
        factories.message(chat, f"message-{number:03}.", timestamp=start + timedelta(hours=number))
    oldest = factories.escalation(
        chat, escalated_at=start + timedelta(hours=10.5), resolved_at=start + timedelta(hours=11.5)
    )
    latest = factories.escalation(
        chat, escalated_at=start + timedelta(hours=100.5), resolved_at=start + timedelta(hours=101.5)
    )
    escalation = factories.escalation(chat, escalated_at=start + timedelta(hours=119.5))

    def marks(response) -> list[str]:
        return [mark.address for mark in response.context["marks"]]

    newest = support.get(address(escalation))
    assert marks(newest) == ["", address(latest), address(latest)]
    text = newest.content.decode()
    places = [text.index(part) for part in (">message-100.<", "Escalated earlier:", ">message-101.<")]
    assert places == sorted(places)
    before = support.get(address(escalation) + newest.context["older"])
    assert marks(before) == []
    first = support.get(address(escalation, "messages") + before.context["older"])
    assert marks(first) == [address(oldest), address(oldest)]


def test_what_the_service_sends_by_itself_is_not_the_ais_answer(support) -> None:
    escalation = factories.waiting(minutes=5)
    chat = escalation.instance.conversations.get()
    factories.message(chat, "please wait", "assistant", message_id="escalated_1767225600000")
    text = support.get(address(escalation)).content.decode()
    assert text.count("chat__message--hold") == 1
    assert "1 automatic text" in text
    assert "chat__message--ai" not in text


def test_an_escalation_costs_the_same_however_much_there_is(support) -> None:
    def cost(escalation: Escalation) -> int:
        with CaptureQueriesContext(connection) as queries:
            response = support.get(address(escalation))
        assert response.context["escalation"].pk == escalation.pk
        return len(queries)

    small, large = factories.waiting(minutes=3, content="the only message"), factories.waiting(minutes=5)
    chat = large.instance.conversations.get()
    factories.customer(large.instance, large.whatsapp_number, name="Mona")
    factories.interaction(chat, metadata={"detected_intent": "billing"})
    for number in range(60):
        factories.message(chat, f"message {number}")
        past = factories.ago(days=number + 1)
        factories.escalation(chat, escalated_at=past, resolved_at=past + timedelta(hours=1))
        support.post(address(large, "note"), {"note": f"note {number}"})
    support.get(address(factories.waiting(minutes=7)))  # what changes rarely is read once
    # The first visit, which is recorded, and the next.
    assert cost(small) == cost(large) <= 10
    assert cost(small) == cost(large) <= 9


def test_older_messages_are_reached_page_by_page(support) -> None:
    chat = factories.conversation()
    start = datetime(2024, 3, 1, 12, tzinfo=UTC)
    for number in range(120):
        # Pairs share their moment, as messages of one webhook do.
        factories.message(chat, f"message-{number:03}.", timestamp=start + timedelta(minutes=number // 2))
    escalation = factories.escalation(chat, escalated_at=start)
    seen: list[str] = []
    query = ""
    for _ in range(3):
        response = support.get(address(escalation) + query)
        seen += [message.content for message in response.context["talk"].messages]
        query = response.context["older"].removesuffix("#chat")
    assert query == ""
    assert sorted(seen) == [f"message-{number:03}." for number in range(120)]
    assert "Escalated:" in response.content.decode()


def test_a_conversation_leads_to_its_beginning_its_escalation_and_a_day(support) -> None:
    chat = factories.conversation()
    for place in range(300):
        factories.message(chat, f"message-{place}.", timestamp=factories.ago(hours=300 - place))
    escalation = factories.escalation(chat, escalated_at=factories.ago(hours=150.5))
    newest = support.get(address(escalation))
    shown = lambda page: [message.content for message in page.context["talk"].messages]  # noqa: E731
    assert shown(newest)[0] == "message-299."
    start = support.get(address(escalation) + newest.context["start"].partition("#")[0])
    assert shown(start)[-1] == "message-0."
    assert 'id="start"' in start.content.decode()
    there = support.get(address(escalation) + newest.context["escalated"].partition("#")[0])
    assert shown(there)[-1] < "message-149." < shown(there)[0]
    assert 'id="escalation"' in there.content.decode()
    day = factories.ago(hours=200)
    at = support.get(address(escalation), {"at": timezone.localtime(day).date().isoformat()})
    assert timezone.localtime(day).date() in {
        timezone.localtime(m.timestamp).date() for m in at.context["talk"].messages
    }
    # And on from there, each message once.
    seen, page = shown(start), start
    while page.context["newer"]:
        page = support.get(address(escalation) + page.context["newer"].partition("#")[0])
        seen = shown(page) + seen
    assert seen == [f"message-{place}." for place in reversed(range(300))]


@pytest.mark.parametrize("place", ["before", "after", "at"])
@pytest.mark.parametrize("value", ["x", "_", "2026-01-01_x", "\0", "2026-13-01"])
def test_a_malformed_place_is_refused(support, place, value) -> None:
    response = support.get(address(factories.waiting(minutes=5)), {place: value})
    assert response.status_code == 400
    assert wording.NOT_A_POSITION in response.content.decode()


def test_an_escalation_shows_all_that_is_known_beside(support) -> None:
    number = factories.instance(
        escalation_keywords=["موظف", "agent"], escalated_conversation_message="Please wait", escalation_enabled=True
    )
    chat = factories.conversation(number, "201012345678")
    factories.interaction(chat, metadata={"detected_intent": "billing", "intent_confidence": 0.4})
    factories.customer(number, chat.user_phone, name="Mona", company="Delta", conversation_summary="Wants a refund")
    earlier = factories.escalation(chat, escalated_at=factories.ago(days=9), resolved_at=factories.ago(days=8))
    escalation = factories.escalation(chat, conversation_context=[{"role": "user", "content": "kept by the AI"}])
    text = support.get(address(escalation)).content.decode()
    for shown in ("Billing", "40 %", "Mona", "Delta", "Wants a refund", "موظف", "Please wait", address(earlier)):
        assert shown in text
    assert "https://wa.me/201012345678" in text
    assert 'data-copy="201012345678"' in text


def test_a_setting_of_the_number_that_is_not_set_is_said_to_be_so(support) -> None:
    number = factories.instance(
        escalation_enabled=None, smart_escalation_enabled=False, keyword_escalation_enabled=True
    )
    page = support.get(address(factories.escalation(factories.conversation(number)))).content.decode()
    for word in ("not set", "no", "yes"):
        assert f"<dd>{word}</dd>" in page
    assert "<dd>maybe" not in page


def test_without_a_conversation_an_escalation_shows_what_the_ai_passed_on(support) -> None:
    escalation = factories.escalation(conversation_context=[{"role": "user", "content": "kept by the AI"}])
    assert "kept by the AI" in support.get(address(escalation)).content.decode()


@pytest.mark.parametrize(
    "context",
    [None, {}, {"a": 1}, "text", 5, [1], [None], [{"content": None}], [{"role": [], "content": "x", "timestamp": "x"}]],
)
def test_context_of_any_shape_never_breaks_the_page(support, context) -> None:
    assert support.get(address(factories.escalation(conversation_context=context))).status_code == 200
    assert support.get(address(factories.waiting(minutes=5, conversation_context=context))).status_code == 200


def test_json_nested_too_deeply_to_read_is_shown_as_text(support) -> None:
    escalation = factories.escalation()
    with connection.cursor() as cursor:
        deep = "[" * 3000 + "]" * 3000
        cursor.execute(
            "UPDATE escalated_conversations SET conversation_context = %s WHERE id = %s", [deep, escalation.pk]
        )
    response = support.get(address(escalation))
    assert response.status_code == 200
    assert "[[[[[[" in response.content.decode()


def test_hostile_text_is_shown_as_text(support) -> None:
    script = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    override = "\u202egnp.exe"
    number = factories.instance(factories.business(script))
    chat = factories.conversation(number)
    factories.customer(number, chat.user_phone, name=script, conversation_summary=script, tags=[script])
    factories.message(chat, script + override)
    factories.message(chat, "a" * 1_000_000, timestamp=factories.ago(minutes=1))
    factories.interaction(chat, metadata={"detected_intent": script})
    escalation = factories.escalation(
        chat, reason=None, conversation_context=[{"role": script, "content": script, "timestamp": script}]
    )
    for page in (QUEUE, address(escalation)):
        text = support.get(page).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert(1)" in text
        assert len(text) < 200_000


def test_an_unknown_reason_is_escaped(support) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE escalated_conversations DROP CONSTRAINT escalated_conversations_reason_check")
    escalation = factories.escalation(reason="<b>vip</b>")
    for page in (QUEUE, address(escalation)):
        text = support.get(page).content.decode()
        assert "&lt;b&gt;vip&lt;/b&gt;" in text
        assert "<b>vip" not in text


@pytest.mark.parametrize("pk", ["00000000-0000-4000-8000-000000000000", "1", "x", "not/an/id", "%00"])
@pytest.mark.parametrize("action", ["change", "resolve"])
def test_an_unknown_escalation_is_a_page_that_says_so(support, pk, action) -> None:
    for method in (support.get, support.post):
        response = method(f"{QUEUE}{pk}/{action}/")
        if (action, method) == ("resolve", support.get):  # leads to the page of the form
            response = support.get(response.url)
        assert response.status_code == 404
        assert "There is no escalation with the id" in response.content.decode()


def test_pages_live_without_the_optional_table_and_columns(support) -> None:
    escalation = factories.waiting(minutes=5)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE customer_profiles")
        cursor.execute(
            "ALTER TABLE escalated_conversations"
            " DROP COLUMN reason, DROP COLUMN conversation_context, DROP COLUMN created_at"
        )
        cursor.execute("ALTER TABLE whatsapp_instances DROP COLUMN custom_escalation_enabled")
        cursor.execute("ALTER TABLE whatsapp_ai_interactions DROP COLUMN metadata")
    cache.clear()
    for page in (QUEUE, f"{QUEUE}?q=mona", f"{QUEUE}?reason=user_request", address(escalation)):
        assert support.get(page).status_code == 200


def test_the_next_escalation_is_the_next_in_the_queue_and_at_its_end_the_first(support) -> None:
    unknown = factories.escalation(escalated_at=None, created_at=None)
    long, short = factories.waiting(minutes=50), factories.waiting(minutes=5)
    same_moment = factories.escalation(factories.conversation(), escalated_at=short.escalated_at)
    twins = sorted([short, same_moment], key=lambda escalation: escalation.pk)
    line = [unknown, long, *twins]
    for escalation, following in zip(line, [*line[1:], unknown], strict=True):
        assert support.get(address(escalation)).context["next"].pk == following.pk
    factories.resolve_elsewhere([long.pk])
    assert support.get(address(long)).context["next"].pk == unknown.pk


def test_home_offers_the_longest_waiting(support) -> None:
    assert wording.NONE_WAITING in support.get("/").content.decode()
    factories.waiting(minutes=5)
    escalation = factories.waiting(minutes=500)
    text = support.get("/").content.decode()
    assert address(escalation) in text
    assert "8 h 20 min" in text


def test_a_long_text_is_shown_whole_on_demand(support) -> None:
    chat = factories.conversation()
    message = factories.message(chat, "long " * 19_800 + "the end 201012345678")
    escalation = factories.escalation(chat)
    page = support.get(address(escalation)).content.decode()
    assert "the end" not in page
    whole = f"{address(escalation, 'messages')}?whole={message.pk}"
    assert f'href="{whole}"' in page
    assert "the end 201012345678" in support.get(whole).content.decode()
    Group.objects.get(name="Support").permissions.remove(Permission.objects.get(codename="see_numbers"))
    assert "201012345678" not in support.get(whole).content.decode()
    for other in (factories.message(factories.conversation()).pk, "x"):
        assert support.get(address(escalation, "messages"), {"whole": other}).status_code == 400


def test_web_addresses_in_messages_are_links(support) -> None:
    chat = factories.conversation()
    factories.message(chat, 'see https://shop.example/a?b=1&c=2, javascript:alert(1) <a href="https://evil.example">')
    page = support.get(address(factories.escalation(chat))).content.decode()
    assert (
        '<a href="https://shop.example/a?b=1&amp;c=2" dir="ltr" target="_blank" rel="noopener noreferrer nofollow">'
        in page
    )
    assert "javascript:alert(1) &lt;a href=&quot;" in page


def test_resolving_warns_of_what_was_written_since_the_page_was_read(support) -> None:
    escalation = factories.waiting(minutes=5)
    seen = support.get(address(escalation)).context["seen"]
    sent = {"seen": seen, "note": "all done", "queue": "view=unclaimed"}
    factories.message(escalation.instance.conversations.get(), "wait, one more thing")
    warned = support.post(address(escalation, "resolve"), sent)
    text = warned.content.decode()
    assert warned.status_code == 409
    assert wording.WROTE_SINCE_OPENED in text
    assert "wait, one more thing" in text
    assert "all done" in text
    escalation.refresh_from_db()
    assert escalation.resolved_at is None
    support.post(address(escalation, "resolve"), sent | {"seen": warned.context["seen"]})
    escalation.refresh_from_db()
    assert escalation.resolved_at is not None


@pytest.mark.parametrize("seen", ["", "x", "infinity", "-infinity", "2026-01-01"])
def test_a_malformed_time_does_no_harm(support, seen) -> None:
    escalation = factories.escalation(factories.conversation())
    support.post(address(escalation, "resolve"), {"seen": seen})
    escalation.refresh_from_db()
    assert escalation.resolved_at is not None


def test_the_next_one_meets_the_filters_of_the_queue(support) -> None:
    first, other, wanted = (factories.waiting(minutes=minutes) for minutes in (90, 60, 30))
    Escalation.objects.filter(pk__in=[first.pk, wanted.pk]).update(reason="ai_detected_intent")
    query = "view=open&reason=ai_detected_intent"
    queue = support.get(f"{QUEUE}?{query}").content.decode()
    row = f"{address(first)}?queue=view%3Dopen%26reason%3Dai_detected_intent"
    assert row in queue
    page = support.get(row)
    assert page.context["next"].pk == wanted.pk
    assert support.get(address(first)).context["next"].pk == other.pk
    answer = support.post(address(first, "resolve"), {"then": "next", "queue": query})
    assert answer["Location"] == row.replace(str(first.pk), str(wanted.pk))


def test_a_brief_says_who_it_is_what_they_want_and_what_the_ai_said(support) -> None:
    chat = factories.conversation()
    factories.message(chat, "Do you have it in red?", timestamp=factories.ago(minutes=20))
    factories.message(chat, "Only in blue.", "assistant", timestamp=factories.ago(minutes=19))
    factories.interaction(chat, metadata={"detected_intent": "sales", "product_interest": "shoes"})
    factories.customer(chat.instance, chat.user_phone, name="Mona", customer_stage="loyal")
    factories.escalation(chat, resolved_at=factories.ago(days=9), escalated_at=factories.ago(days=10))
    escalation = factories.escalation(chat, escalated_at=factories.ago(minutes=18))
    factories.message(chat, "hello?", timestamp=factories.ago(minutes=1))
    brief = support.get(address(escalation)).context["brief"]
    assert (brief.question, brief.answer, brief.earlier) == ("Do you have it in red?", "Only in blue.", 1)
    assert len(brief.insights) == 2
    Escalation.objects.filter(pk=escalation.pk).update(
        conversation_context=[{"role": "user", "content": "In red, please"}, {"role": "assistant", "content": "No."}]
    )
    brief = support.get(address(escalation)).context["brief"]
    assert (brief.question, brief.answer) == ("In red, please", "No.")
    assert not support.get(address(factories.escalation())).context["brief"]
