"""Who may not see phone numbers sees the country and the last digits, wherever a number stands."""

import re
from contextlib import suppress
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db import DatabaseError, models, transaction
from django.test import Client

from escalations.models import CannedNote, Escalation
from tests import factories, wording
from tests.access.world import World, own_and_other, signed_in
from usage import business
from waops.access import log
from waops.access.log import AccessRecord
from waops.access.masking import masked_in
from waops.access.permissions import MANAGERS, OPERATORS, SUPPORT
from waops.access.phones import masked
from waops.access.readers import Reader, reading_as
from waops.models import ArchivedRow
from waops.templatetags.waops import json_block

QUEUE = "/escalations/escalation/"
HIDDEN = "+20 ••• ••• 0001"


def plain(text: str) -> str:
    return re.sub("[\u2066\u2069]", "", text.replace("\u00a0", " "))


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("201012345678", "+20 ••• ••• 5678"),
        ("12025550123", "+1 ••• ••• 0123"),
        ("01012345678", "••• ••• 5678"),
        ("120363041234567890@g.us", "••• ••• 7890"),
    ],
)
def test_a_masked_number_keeps_country_and_last_digits(number: str, shown: str) -> None:
    assert plain(masked(number)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call +20 101 234 5678 now", "call +20 ••• ••• 5678 now"),
        ("رقمي٠١٠١٢٣٤٥٦٧٨", "رقمي••• ••• 5678"),
        ("010-1234-5678, or (010) 1234.5679", "••• ••• 5678, or (••• ••• 5679"),
        ("wa.me/201012345678", "wa.me/+20 ••• ••• 5678"),
        ("order 12345 of 2026-11-25 10:00:00, 1,234,567 EGP", "order 12345 of 2026-11-25 10:00:00, 1,234,567 EGP"),
        ("8c925655-2f32-4cae-92b4-62210912345a", "8c925655-2f32-4cae-92b4-62210912345a"),
    ],
)
def test_numbers_within_a_text_are_masked_and_nothing_else(text: str, shown: str) -> None:
    assert plain(masked_in(text)) == shown


def test_json_is_masked_in_keys_texts_and_integers() -> None:
    nobody = Reader(AnonymousUser())
    value = {"201012345678": ["201012345679"], "phone": 201012345670, "share": 0.123456789, "on": True, "count": 12}
    with reading_as(nobody):
        shown = plain(json_block(value))
    assert not re.search(r"20101234567", shown)
    assert "0.123" in shown
    assert "true" in shown


@pytest.fixture
def own(db) -> World:
    return own_and_other()[0]


@pytest.fixture
def blind(own) -> Client:
    """A person who may see everything except numbers."""
    person = factories.staff(SUPPORT, MANAGERS, OPERATORS)
    permission = Permission.objects.get(codename="see_numbers")
    for group in Group.objects.all():
        group.permissions.remove(permission)
    return signed_in(person)


def shown(own: World) -> list[str]:
    rows = own.rows
    pages = [
        "/",
        QUEUE,
        f"{QUEUE}{rows['escalations.escalation'].pk}/change/",
        f"{QUEUE}{rows['escalations.escalation'].pk}/messages/",
        f"{QUEUE}attention/",
        f"{QUEUE}search/?q=words",
        f"{QUEUE}search/?q=0001",
        f"{QUEUE}reports/escalations.csv",
        f"{QUEUE}live/",
        f"/usage/profile/{own.business.pk}/change/",
        "/waops/archivedrow/",
        "/waops/operations/connections/",
    ]
    for name, row in rows.items():
        if name.startswith("conversations") and name != "conversations.missed":
            pages += [f"/{name.replace('.', '/')}/", f"/{name.replace('.', '/')}/{row.pk}/change/"]
    return pages


def content(client: Client, page: str) -> str:
    answer = client.get(page)
    assert answer.status_code == 200, page
    return b"".join(answer).decode()


def test_no_page_shows_a_number_to_people_who_may_not_see_any(own, blind) -> None:
    own.rows["conversations.customerprofile"].name = f"{own.phone}1"
    own.rows["conversations.customerprofile"].save()
    archived = ArchivedRow.objects.create(table="t", row_id="1", row={"whatsapp_number": f"{own.phone}1"}, repair="r")
    for page in [*shown(own), f"/waops/archivedrow/{archived.pk}/change/"]:
        text = content(blind, page)
        assert own.phone not in re.sub(r"[^\d]", "", text.replace(str(own.business.pk), "")), page
        assert "wa.me" not in text, page
        assert "data-copy" not in text, page
        assert "data-number" not in text, page
    page = content(blind, f"{QUEUE}{own.rows['escalations.escalation'].pk}/change/")
    assert HIDDEN in plain(page)


def test_people_who_may_see_numbers_see_them(own) -> None:
    client = signed_in(factories.staff(SUPPORT))
    page = content(client, f"{QUEUE}{own.rows['escalations.escalation'].pk}/change/")
    assert f"https://wa.me/{own.phone}1" in page
    assert f'data-copy="{own.phone}1"' in page
    assert f"call {own.phone}1" in page


@pytest.mark.parametrize(("group", "sees"), [(SUPPORT, True), (MANAGERS, True), (OPERATORS, False)])
def test_those_who_speak_with_customers_see_numbers(db, group: str, sees: bool) -> None:
    assert factories.staff(group).has_perm("waops.see_numbers") is sees


SEARCHES = (f"{QUEUE}?q=", f"{QUEUE}search/?q=", "/conversations/conversation/?q=", "/conversations/aiinteraction/?q=")
TEXT_SEARCHES = ("/conversations/message/?q=", "/conversations/whatsappinstance/?q=", "/usage/profile/?q=")


def told(client: Client, page: str, asked: str) -> tuple[int, str]:
    """The answer, but for what was asked and what differs each time."""
    answer = client.get(page + asked)
    return answer.status_code, re.sub(
        r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode().replace(asked, "")
    )


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("page", [*SEARCHES, *TEXT_SEARCHES, "/conversations/customerprofile/?q="])
def test_no_search_confirms_a_guess(own, blind, page: str, language: str) -> None:
    """Neither the whole number nor a part of it, in no script, as a phrase or among others."""
    blind.cookies["django_language"] = language
    number = f"{own.phone}1"
    wide = number.translate({ord(str(i)): chr(0xFF10 + i) for i in range(10)})
    for asked in (
        number,
        own.phone[:7],
        number[-6:],
        f"+{number}",
        wide,
        f"2012345678 OR {number}",
        f'"{number}"',
        "010",
    ):
        answer = blind.get(page + quote(asked))
        assert answer.status_code == 400, asked
        text = unescape(answer.content.decode())
        assert wording.CANNOT_SEE_NUMBERS[language] in text
    absent = f"{own.phone}7"
    assert told(blind, page, number) == told(blind, page, absent)


NUMBERS = {"user_phone", "whatsapp_number", "phone_number"}


@pytest.mark.parametrize(("model", "page"), admin.site._registry.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_no_list_is_sorted_by_a_number(model: Any, page: Any) -> None:
    """The order of masked numbers tells how they begin."""
    orders = {str(order).lstrip("-") for order in page.ordering or model._meta.ordering}
    for name in page.list_display:
        shown = getattr(page, name, None)
        orders.add(name if shown is None else str(getattr(shown, "admin_order_field", "")).lstrip("-"))
    assert not orders & NUMBERS


def test_customers_of_a_business_are_not_sorted_by_their_numbers(own) -> None:
    """Those with as many answers are in the order of the latest."""
    factories.interaction(own.rows["conversations.missed"])
    page = business.load(own.business.pk, business.Narrowed())
    assert page is not None
    assert [one["user_phone"] for one in page.customers] == [f"{own.phone}3", f"{own.phone}1"]


def test_forms_say_what_can_be_searched(own, blind) -> None:
    assert wording.NAME_OR_LAST_DIGITS in content(blind, QUEUE)
    assert wording.NAME_LAST_DIGITS_OR_WORDS in content(blind, f"{QUEUE}search/")
    assert wording.LAST_FOUR_DIGITS in content(blind, "/conversations/conversation/")


@pytest.mark.parametrize("page", ["/usage/price/?q=gpt-4", "/waops/installedobject/?q=0010"])
def test_names_that_everybody_sees_are_searched_with_digits(own, blind, page: str) -> None:
    content(blind, page)


@pytest.mark.parametrize("page", SEARCHES)
def test_last_four_digits_find_a_customer(own, blind, page: str) -> None:
    text = content(blind, f"{page}{own.phone[-3:]}1")
    assert "0001" in plain(text)
    assert f"{own.phone}1" not in text


@pytest.mark.parametrize(
    "page",
    [*TEXT_SEARCHES, "/autocomplete/?app_label=escalations&model_name=closingrule&field_name=business&term="],
)
def test_texts_cannot_be_searched_for_digits(own, blind, page: str) -> None:
    assert blind.get(f"{page}0001").status_code == 400
    assert blind.get(f"{page}words").status_code == 200


def test_a_reason_with_a_number_is_neither_offered_nor_confirmed(own, blind) -> None:
    escalation = own.rows["escalations.escalation"]
    Escalation.objects.filter(pk=escalation.pk).update(reason=f"call {own.phone}1")
    assert own.phone not in content(blind, f"{QUEUE}?choices=1")
    assert blind.get(f"{QUEUE}?reason=call+{own.phone}1").status_code == 400


def test_the_ai_replies_of_a_customer_are_a_link_away(own, blind) -> None:
    """Without the number in the address, so that those who may not see it have the link too."""
    rows = own.rows
    page = content(blind, f"/conversations/conversation/{rows['conversations.conversation'].pk}/change/")
    address = f"/conversations/aiinteraction/?conversation={rows['conversations.conversation'].pk}"
    assert address in page
    assert str(rows["conversations.aiinteraction"].pk) in content(blind, address)
    other = rows["conversations.missed"].pk
    assert str(rows["conversations.aiinteraction"].pk) not in content(
        blind, f"/conversations/aiinteraction/?conversation={other}"
    )
    assert blind.get("/conversations/aiinteraction/?conversation=x").status_code == 400


def test_searches_for_numbers_are_recorded_and_counted(own, monkeypatch) -> None:
    monkeypatch.setattr(log, "MOST_SEARCHES", 5)
    client = signed_in(factories.staff(SUPPORT))
    for _ in range(2):
        content(client, f"{QUEUE}search/?q={own.phone}1")
    content(client, f"{QUEUE}search/?q=words")
    record = AccessRecord.objects.get(action="searched")
    assert record.what == "escalations.escalation"
    assert record.details == {"query": "…0001"}
    for page in (f"{QUEUE}?q=", f"{QUEUE}search/?q=", "/conversations/conversation/?q="):
        client = signed_in(factories.staff(SUPPORT))
        answers = {client.get(f"{page}2010{number:08}").status_code for number in range(log.MOST_SEARCHES)}
        assert answers == {200}
        refused = client.get(f"{page}201099999999")
        assert refused.status_code == 429
        assert wording.TOO_MANY_SEARCHES in refused.content.decode()


EVERYWHERE = "201555444333"


def fill(row: Any) -> None:
    """Every text and JSON column of the row that takes it holds the number, and words around it."""
    for column in row._meta.concrete_fields:
        if column.primary_key or column.name in ("user_phone", "whatsapp_number", "phone_number", "message_id"):
            continue
        if isinstance(column, models.JSONField):
            value: Any = {f"of {EVERYWHERE}": [f"call {EVERYWHERE}", int(EVERYWHERE), float(EVERYWHERE)]}
        elif isinstance(column, models.CharField | models.TextField):
            value = f"call {EVERYWHERE}"
        else:
            continue
        with suppress(DatabaseError), transaction.atomic():
            row._meta.model._base_manager.filter(pk=row.pk).update(**{column.attname: value})


def test_a_number_in_any_column_is_masked_on_every_page(own, blind) -> None:
    """Whatever the service wrote into whichever column of its tables."""
    CannedNote.objects.create(
        title_en="Hello",
        title_ar="أهلا",
        **dict.fromkeys(("text_en", "text_ar"), "{customer} {number} {business} {me}"),
    )
    for row in own.rows.values():
        if not row._meta.managed:
            fill(row)
    shows = []
    chat = own.rows["conversations.conversation"].pk
    more = [
        *(f"{QUEUE}?choices=1", f"{QUEUE}filters/", f"{QUEUE}?view=today", f"{QUEUE}?q=0001", f"{QUEUE}search/?q=call"),
        *(f"{QUEUE}reports/", "/usage/profile/", "/usage/profile/export/", "/usage/profile/reconcile/"),
        *(f"/usage/profile/{own.business.pk}/export/", f"/conversations/message/?conversation__id__exact={chat}"),
        *("/usage/quotachange/", "/usage/delivery/", "/usage/alertrule/", "/escalations/closingrule/"),
        *("/usage/price/", "/autocomplete/?app_label=escalations&model_name=closingrule&field_name=business"),
    ]
    for page in [*shown(own), *more]:
        text = content(blind, page)
        if EVERYWHERE in re.sub(r"\D", "", text):
            place = text.find(EVERYWHERE)
            shows.append(f"{page}: {text[max(place - 120, 0) : place + 20]}")
    assert not shows, "\n".join(shows)
