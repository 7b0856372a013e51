"""Lists cost the same for one row and for a hundred, and never count a large table."""

from collections.abc import Callable

import pytest
from django.contrib.admin import site
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations.models import AIConfig, AIPersonality, Conversation, Message, SupportTeamNumber
from escalations.models import CannedNote, ClosingOutcome, ClosingRule
from tests import factories, wording
from usage.models import Alert, AlertRule, Delivery, Price, QuotaChange
from waops.admin.paginator import LIMIT, BoundedPaginator
from waops.models import ArchivedRow, InstalledObject

pytestmark = pytest.mark.django_db

NOW = factories.ago()


def archived_row(number: int) -> None:
    ArchivedRow.objects.create(table="t", row_id=f"row-{number}", row={}, repair="repair")


def installed_object(number: int) -> None:
    InstalledObject.objects.create(kind="index", identity=f"public.aa_{number:03}", installed_by="tests")


def interaction(number: int) -> None:
    factories.interaction(factories.conversation(), user_message=f"question {number:03}")


def message(number: int) -> None:
    factories.message(factories.conversation(), f"message {number:03}", timestamp=factories.ago(minutes=number))


def config(number: int) -> None:
    phone = factories.instance(instance_name=f"number{number:03}x")
    values = {"is_active": True, "temperature": 1, "created_at": NOW, "updated_at": NOW}
    values |= {"process_voice_messages": True, "default_voice_language": "ar", "intent_recognition_enabled": True}
    AIConfig.objects.create(instance=phone, business=phone.business, system_prompt="Be kind.", **values)


def personality(number: int) -> None:
    phone = factories.instance()
    AIPersonality.objects.create(instance=phone, business=phone.business, name=f"Clerk {number:03}", system_prompt="x")


def support_number(number: int) -> None:
    phone = factories.instance()
    SupportTeamNumber.objects.create(instance=phone, business=phone.business, whatsapp_number=f"20100000{number:04}")


def price(number: int) -> None:
    Price.objects.create(model=f"aa{number:03}", valid_from=NOW.date(), input_per_million=1, output_per_million=2)


def quota_change(number: int) -> None:
    values = {"old_limit": 1, "new_limit": 2, "old_used": 0, "new_used": 0}
    owner = factories.business(f"Changed {number:03}")
    QuotaChange.objects.create(business=owner, kind="outside", at=NOW, actor_name="somebody", **values)


def delivery(number: int) -> None:
    owner = factories.business(f"Alerted {number:03}")
    alert = Alert.objects.create(business=owner, period=NOW, threshold=80, at=NOW, facts={})
    Delivery.objects.create(alert=alert, channel="email", target="a@example.com", language="en", next_attempt_at=NOW)


def outcome(number: int) -> None:
    ClosingOutcome.objects.create(code=f"aa{number:03}", name_en=f"Outcome {number:03}", name_ar="نتيجة")


def canned_note(number: int) -> None:
    CannedNote.objects.create(title_en=f"Note {number:03}", title_ar="ملاحظة", text_en="x", text_ar="x")


LISTS: list[tuple[str, Callable[[int], object], str]] = [
    ("/usage/profile/", lambda n: factories.business(f"Business {n:03} here"), "Business 000 here"),
    ("/conversations/whatsappinstance/", lambda n: factories.instance(instance_name=f"shop{n:03}x"), "shop000x"),
    (
        "/conversations/conversation/",
        lambda n: factories.conversation(user_phone=f"20109999{n:04}", last_activity=factories.ago(minutes=n)),
        "201099990000",
    ),
    ("/conversations/message/", message, "message 000"),
    ("/conversations/aiinteraction/", interaction, "question 0"),
    ("/conversations/aiconfig/", config, "number0"),
    ("/conversations/aipersonality/", personality, "Clerk 000"),
    ("/conversations/supportteamnumber/", support_number, "201000000000"),
    (
        "/conversations/customerprofile/",
        lambda n: factories.customer(factories.instance(), f"20108888{n:04}", last_interaction=NOW),
        "2010888800",
    ),
    ("/waops/archivedrow/", archived_row, "row-0"),
    ("/waops/installedobject/?q=aa_", installed_object, "public.aa_000"),
]


OURS: list[tuple[str, Callable[[int], object], str]] = [
    ("/waops/user/?o=1", lambda n: factories.staff("Support", username=f"aa{n:03}", is_superuser=False), "aa000"),
    ("/usage/price/", price, "aa000"),
    (
        "/usage/alertrule/",
        lambda n: AlertRule.objects.create(business=factories.business(f"Ruled {n:03}")),
        "Ruled 000",
    ),
    ("/usage/quotachange/", quota_change, "Changed 0"),
    ("/usage/delivery/", delivery, "Alerted 0"),
    ("/escalations/closingoutcome/", outcome, "Outcome 000"),
    ("/escalations/cannednote/", canned_note, "Note 000"),
    (
        "/escalations/closingrule/",
        lambda n: ClosingRule.objects.create(business=factories.business(f"Closing {n:03}")),
        "Closing 0",
    ),
]
"""What only an administrator sees all of."""


@pytest.mark.parametrize(("address", "make", "content"), LISTS + OURS, ids=[case[0] for case in LISTS + OURS])
def test_it_takes_as_many_queries_for_a_hundred_rows_as_for_one(
    client: Client, address: str, make: Callable[[int], object], content: str
) -> None:
    person = factories.staff("Operators", "Support", username="zz", is_superuser=(address, make, content) in OURS)
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    make(0)
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        page = client.get(address).content.decode()
    assert content in page
    rows = page.count('<tr role="row">')
    for number in range(1, 100):
        make(number)
    client.get(address)  # what is new is read once, and kept
    with CaptureQueriesContext(connection) as hundred:
        page = client.get(address).content.decode()
    assert page.count('<tr role="row">') >= rows + 49
    assert len(one) == len(hundred) <= 8


def test_no_list_takes_more_than_eight_queries(client: Client) -> None:
    """Every one that is registered, also those that no test above fills."""
    client.force_login(factories.staff(is_superuser=True), "django.contrib.auth.backends.ModelBackend")
    costs = {}
    for model in site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        client.get(address)  # what changes rarely is read once
        with CaptureQueriesContext(connection) as queries:
            costs[address] = client.get(address, follow=True).status_code, len(queries)
    assert len(costs) > 20
    # An operations page and the desk's queue are more than lists; their own tests say what they may take.
    of_their_own = {"/waops/operations/", "/escalations/escalation/"}
    assert {address: cost for address, cost in costs.items() if cost[0] != 200 or cost[1] > 8}.keys() <= of_their_own


def test_a_large_table_is_not_counted() -> None:
    chat = factories.conversation()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content)"
            " SELECT %s, 'user', 'hello ' || n FROM generate_series(1, %s) AS n",
            [chat.pk, 3 * LIMIT],
        )
        cursor.execute("ANALYZE public.whatsapp_conversation_messages")
    everything = BoundedPaginator(Message.objects.order_by("-timestamp"), 50)
    assert (everything.count, everything.num_pages) == (LIMIT, LIMIT // 50)
    assert everything.in_words.startswith(f"About 3,000 {wording.ONLY_THE_FIRST.format('1,000')}")
    some = BoundedPaginator(Message.objects.filter(role="user").order_by("id"), 50)
    assert some.in_words.startswith(f"More than 1,000 {wording.ONLY_THE_FIRST.format('1,000')}")
    few = BoundedPaginator(Message.objects.filter(content="hello 1").order_by("id"), 50)
    assert (few.count, few.in_words) == (1, "1 entry")


def test_a_column_or_table_that_is_missing_breaks_no_page(client: Client) -> None:
    client.force_login(factories.staff("Operators", "Support"), "django.contrib.auth.backends.ModelBackend")
    chat = factories.conversation()
    factories.interaction(chat)
    factories.message(chat)
    config(1)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE public.whatsapp_instances DROP COLUMN custom_escalation_instructions, "
            "DROP COLUMN escalation_keywords, DROP COLUMN last_connected"
        )
        cursor.execute("ALTER TABLE public.profiles DROP COLUMN plan_type, DROP COLUMN subscription_end_date")
        cursor.execute("ALTER TABLE public.whatsapp_ai_interactions DROP COLUMN total_tokens, DROP COLUMN metadata")
        cursor.execute("ALTER TABLE public.whatsapp_ai_config DROP COLUMN personality_system_metadata")
        cursor.execute("ALTER TABLE public.whatsapp_conversations DROP COLUMN conversation_data")
        cursor.execute("DROP TABLE public.customer_profiles, public.support_team_numbers")
    cache.clear()
    for model in (Conversation, Message, AIConfig):
        name = model._meta.model_name
        assert client.get(f"/conversations/{name}/").status_code == 200
        row = model._default_manager.first()
        assert client.get(f"/conversations/{name}/{row.pk}/change/").status_code == 200
    for address in ("/usage/profile/", f"/usage/profile/{chat.instance.business_id}/change/"):
        assert client.get(address).status_code == 200
    for address in ("/conversations/aiinteraction/", f"/conversations/whatsappinstance/{chat.instance_id}/change/"):
        assert client.get(address).status_code == 200
    assert client.get("/usage/profile/?plan=Scale").status_code == 400
    for name in ("customerprofile", "supportteamnumber"):
        response = client.get(f"/conversations/{name}/")
        assert response.status_code == 404
        assert wording.NO_TABLE in response.content.decode()
    home = client.get("/")
    assert home.status_code == 200
    assert "/conversations/customerprofile/" not in home.content.decode()
