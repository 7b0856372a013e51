"""The search page: what is found, who finds it, and what it costs."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalations.search import messages
from tests import factories, wording

SEARCH = "/escalations/escalation/search/"


def signed_in(*groups: str) -> Client:
    client = Client()
    client.force_login(factories.staff(*groups), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def support(db) -> Client:
    return signed_in("Support")


def found(client: Client, text: str, **query: str) -> dict[str, list]:
    results = client.get(SEARCH, {"q": text, **query}).context["found"]
    return {kind: [getattr(row, "message", row).pk for row in part.rows] for kind, part in results.items()}


@pytest.mark.parametrize("written", [*factories.WRITTEN, *factories.WRITTEN_IN_PART])
def test_a_phone_number_is_found_however_it_is_written(support, written) -> None:
    chat = factories.conversation(user_phone="201012345678")
    escalation = factories.escalation(chat)
    factories.escalation(factories.conversation(user_phone="966501112223"))
    assert found(support, written) == {"escalations": [escalation.pk], "conversations": [chat.pk], "messages": []}


def test_an_id_that_is_no_number_is_found_whole(support) -> None:
    escalation = factories.escalation(whatsapp_number="714909190098387@lid")
    assert found(support, "714909190098387@lid")["escalations"] == [escalation.pk]


@pytest.mark.parametrize("written", ["احمد", "أحمد منصور", "منصور أَحْمَد", "Ahm", "AHMED"])
def test_a_customer_is_found_by_name_in_any_spelling(support, written) -> None:
    chat = factories.conversation()
    factories.customer(chat.instance, chat.user_phone, name="أحمد منصور (Ahmed)")
    escalation = factories.escalation(chat)
    factories.customer(factories.instance(), factories.phone(), name="منى")
    assert found(support, written) == {"escalations": [escalation.pk], "conversations": [chat.pk], "messages": []}


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ("أين طلبي؟", "طلبى"),
        ("وصلت الشحنة إلى القاهرة", "القاهره الشحنه"),
        ("شُكْراً جَزِيلاً", "شكرا جزيلا"),
        ("مرحبـــــا", "مرحبا"),
        ("طلب رقم ١٢٣٤٥", "12345"),
        ("Your ORDER is ready", "order read"),
        ("write to mona@example.com", "mona@example.com"),
        ("it's O'Brien", "o'brien"),
        ("خصم 50% اليوم", "50%"),
        *[("#FS-19450?", written) for written in ("19450", "1945", "FS-19450", "fs 19450", "FS19450", "١٩٤٥٠")],
        *[("طلب TR48682.", written) for written in ("48682", "TR 48682", "tr48682", "TR-48682")],
        ("https://shop.example/orders/19450?x=1", "19450"),
        ("call +201012345678", "201012345678"),
    ],
)
@pytest.mark.parametrize("few", [-1, 10**9])
def test_messages_are_found_by_their_words_on_either_way(support, monkeypatch, content, written, few) -> None:
    monkeypatch.setattr(messages, "FEW", few)
    chat = factories.conversation()
    message = factories.message(chat, content)
    factories.message(chat, "something else")
    assert found(support, written)["messages"] == [message.pk]


@pytest.mark.parametrize("few", [-1, 10**9])
def test_what_is_not_written_anywhere_finds_nothing(support, monkeypatch, few) -> None:
    monkeypatch.setattr(messages, "FEW", few)
    factories.escalation(factories.conversation(user_phone="201012345678"))
    factories.message(factories.conversation(), "hello")
    for text in (
        "%",
        "_",
        "678",
        "nobody",
        "\\",
        "' OR 1=1 --",
        "':*",
        "x" * 200,
        "؟",
        "he_lo",
        "h%",
        "(a",
        "[[",
        "a{9}",
        "h.*o",
        "\\d",
        "h😀o",
    ):
        response = support.get(SEARCH, {"q": text})
        assert response.status_code == 200
        assert "Nothing matches" in response.content.decode(), text


@pytest.mark.parametrize("kind", ["escalations", "conversations", "messages"])
@pytest.mark.parametrize("few", [-1, 10**9])
def test_every_result_is_reached_once_page_by_page(support, monkeypatch, kind, few) -> None:
    monkeypatch.setattr(messages, "FEW", few)
    number = factories.instance()
    at = factories.ago(hours=1)
    wanted = []
    for place in range(125):
        # Pairs share their moment.
        moment = at - timedelta(seconds=place // 2)
        chat = factories.conversation(number, f"20100001{place:04}5555", last_activity=moment)
        rows = {
            "escalations": lambda chat=chat, moment=moment: factories.escalation(chat, escalated_at=moment),
            "conversations": lambda chat=chat: chat,
            "messages": lambda chat=chat, moment=moment: factories.message(chat, "5555", timestamp=moment),
        }
        wanted.append(rows[kind]().pk)
    seen, query = [], {"q": "5555", "kind": kind}
    for _ in range(3):
        part = support.get(SEARCH, query).context["found"][kind]
        seen += [getattr(row, "message", row).pk for row in part.rows]
        query["after"] = part.more
    assert query["after"] == ""
    assert len(seen) == 125
    assert set(seen) == set(wanted)


def test_a_result_leads_to_its_place_in_the_conversation(support) -> None:
    chat = factories.conversation()
    for minutes in range(120):
        content = "the needle" if minutes == 100 else "hay"
        factories.message(chat, content, timestamp=factories.ago(minutes=minutes))
    response = support.get(SEARCH, {"q": "needle"})
    [result] = response.context["found"]["messages"].rows
    page = support.get(f"/conversations/conversation/{chat.pk}/change/", {"before": result.place})
    assert page.context["chat_messages"][0].content == "the needle"
    assert f"/conversations/conversation/{chat.pk}/change/?before=" in response.content.decode()


def test_matches_are_marked_and_hostile_text_is_shown_as_text(support) -> None:
    script = "<script>alert(1)</script>"
    chat = factories.conversation(factories.instance(factories.business(script)))
    factories.customer(chat.instance, chat.user_phone, name=f"needle {script}")
    factories.escalation(chat)
    factories.message(chat, f"{script} needle \u202e {script}")
    factories.message(chat, "needle " + "a" * 1_000_000)
    text = support.get(SEARCH, {"q": "needle"}).content.decode()
    assert "<mark>needle</mark>" in text
    assert "<script>alert" not in text
    assert len(text) < 60_000
    reflected = support.get(SEARCH, {"q": script}).content.decode()
    assert "<script>alert" not in reflected


@pytest.mark.parametrize(
    "query",
    [
        {"q": "x" * 201},
        {"q": "a\0b"},
        {"q": "a", "kind": "users"},
        {"q": "a", "after": "x"},
        {"q": "a", "after": "2026-01-01_x"},
        {"q": "a", "after": "2026-01-01_00000000-0000-4000-8000-000000000000"},
    ],
)
def test_a_malformed_address_is_refused_with_a_reason(support, query) -> None:
    response = support.get(SEARCH, query)
    assert response.status_code == 400
    assert wording.ADDRESS_DOES_NOT_WORK in response.content.decode()


def test_who_may_not_see_messages_finds_none(db) -> None:
    factories.message(factories.conversation(), "needle")
    assert "messages" not in found(signed_in("Managers"), "needle")
    assert Client().get(SEARCH).status_code == 302
    assert signed_in().get(SEARCH).status_code == 403


def test_a_number_that_the_end_of_what_is_searched_cuts_is_masked(support) -> None:
    """Its first digits are too few to look like a number."""
    chat = factories.conversation()
    beginning = f"{'word ' * 3990}needle call 2010998"
    factories.message(chat, f"{' ' * (messages.INDEXED - len(beginning))}{beginning}87766")
    Group.objects.get(name="Support").permissions.remove(Permission.objects.get(codename="see_numbers"))
    text = support.get(SEARCH, {"q": "needle"}).content.decode()
    assert "call" in text
    assert "2010998" not in text


def test_hundreds_of_results_cost_as_many_queries_as_one(support) -> None:
    def cost() -> int:
        """A person's first search, which is recorded. Where a transaction begins and ends is not counted."""
        client = signed_in("Support")
        with CaptureQueriesContext(connection) as queries:
            assert "needle" in client.get(SEARCH, {"q": "needle"}).content.decode()
        return len([query for query in queries if "SAVEPOINT" not in query["sql"]])

    def more(count: int) -> None:
        for _ in range(count):
            chat = factories.conversation()
            factories.customer(chat.instance, chat.user_phone, name="needle")
            factories.escalation(chat)
            factories.message(chat, "needle")

    more(1)
    support.get(SEARCH, {"q": "needle"})
    one = cost()
    more(30)
    assert cost() == one <= 9


def test_search_lives_without_the_optional_table(support) -> None:
    chat = factories.conversation(user_phone="201012345678")
    factories.escalation(chat)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE customer_profiles")
        cursor.execute("ALTER TABLE escalated_conversations DROP COLUMN reason, DROP COLUMN created_at")
    cache.clear()
    assert found(support, "5678")["conversations"] == [chat.pk]
    assert support.get(SEARCH, {"q": "mona"}).status_code == 200


MANY_NUMBERS = """
    INSERT INTO public.whatsapp_conversations (instance_id, user_phone, status, last_activity, started_at)
    SELECT %(instance)s, '2010' || 1000000 + n || '7777', 'active', now() - n * interval '1 hour', now()
    FROM generate_series(2000, 1, -1) AS n;
    INSERT INTO public.escalated_conversations (instance_id, whatsapp_number, reason, escalated_at, created_at)
    SELECT instance_id, user_phone, 'user_request', last_activity, last_activity
    FROM public.whatsapp_conversations ORDER BY last_activity
"""


@pytest.mark.parametrize("written", ["7777", "2010"])
@pytest.mark.parametrize("kind", ["escalations", "conversations"])
def test_of_thousands_of_numbers_the_newest_are_found_and_the_others_follow(support, kind, written) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MANY_NUMBERS, {"instance": factories.instance().pk})
        cursor.execute("ANALYZE public.whatsapp_conversations, public.escalated_conversations")
    query, seen = {"q": written, "kind": kind}, []
    for _ in range(2):
        page = support.get(SEARCH, query)
        part = page.context["found"][kind]
        seen += [getattr(row, "user_phone", None) or row.whatsapp_number for row in part.rows]
        query["after"] = part.more
    assert seen == [f"2010{1_000_000 + place}7777" for place in range(1, 101)]
    assert 'rel="next"' in page.content.decode()
