"""Who may not see phone numbers sees the country and the last digits, wherever a number stands."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.test import Client

from tests import factories
from tests.access.world import World, own_and_other, signed_in
from waops.access import Reader, reading_as
from waops.models import ArchivedRow
from waops.permissions import MANAGERS, OPERATORS, SUPPORT
from waops.phones import masked, masked_in
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
        ("8c925655-2f32-4cae-92b4-622109123456", "8c925655-2f32-4cae-92b4-622109123456"),
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
    assert "0.123456789" in shown
    assert "true" in shown


@pytest.fixture
def own(db) -> World:
    return own_and_other()[0]


@pytest.fixture
def blind(own) -> Client:
    """Somebody who may see everything but numbers."""
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
        f"{QUEUE}numbers/cases.csv",
        f"{QUEUE}live/",
        f"/usage/profile/{own.business.pk}/change/",
        "/waops/archivedrow/",
        "/waops/operations/connections/",
    ]
    for name, row in rows.items():
        if name.startswith("conversations") and name != "conversations.ghost":
            pages += [f"/{name.replace('.', '/')}/", f"/{name.replace('.', '/')}/{row.pk}/change/"]
    return pages


def content(client: Client, page: str) -> str:
    answer = client.get(page)
    assert answer.status_code == 200, page
    return b"".join(answer).decode()


def test_no_page_shows_a_number_to_whoever_may_not_see_any(own, blind) -> None:
    own.rows["conversations.customerprofile"].name = f"{own.phone}1"
    own.rows["conversations.customerprofile"].save()
    archived = ArchivedRow.objects.create(table="t", row_id="1", row={"whatsapp_number": f"{own.phone}1"}, repair="r")
    for page in [*shown(own), f"/waops/archivedrow/{archived.pk}/change/"]:
        text = content(blind, page)
        assert own.phone not in re.sub(r"[^\d]", "", text.replace(str(own.business.pk), "")), page
        assert "wa.me" not in text, page
        assert "data-copy" not in text, page
        assert "data-number" not in text, page
    case = content(blind, f"{QUEUE}{own.rows['escalations.escalation'].pk}/change/")
    assert HIDDEN in plain(case)


def test_whoever_may_see_numbers_sees_them(own) -> None:
    client = signed_in(factories.staff(SUPPORT))
    case = content(client, f"{QUEUE}{own.rows['escalations.escalation'].pk}/change/")
    assert f"https://wa.me/{own.phone}1" in case
    assert f'data-copy="{own.phone}1"' in case
    assert f"call {own.phone}1" in case


@pytest.mark.parametrize(("group", "sees"), [(SUPPORT, True), (MANAGERS, True), (OPERATORS, False)])
def test_those_who_speak_with_customers_see_numbers(db, group: str, sees: bool) -> None:
    assert factories.staff(group).has_perm("waops.see_numbers") is sees


def test_a_number_cannot_be_found_out_digit_by_digit(own, blind) -> None:
    whole, begins, part = f"{own.phone}1", own.phone[:7], f"{own.phone}1"[-6:]
    found = {str(own.rows[name].pk) for name in ("escalations.escalation", "conversations.conversation")}

    def finds(page: str) -> bool:
        text = content(blind, page)
        return any(pk in text for pk in found)

    for page in (f"{QUEUE}?q=", f"{QUEUE}search/?q=", "/conversations/conversation/?q="):
        assert finds(page + whole), page
        assert not finds(page + begins), page
        assert not finds(page + part), page
    assert finds(f"{QUEUE}?q=0001")
    assert finds(f"{QUEUE}search/?q=0001")
