"""Every page of the URL configuration, got and sent to, by everybody, about one's own business and another's.

The expectation is in rules.py, by the name of the page.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from waffle.models import Sample

from escalations.models import CannedNote, CannedReply, ClosingOutcome, SLATarget, WorkingDay
from tests import factories
from tests.access.rules import PUBLIC, RULES, Rule
from tests.access.world import World, limited, own_and_other, signed_in, traces_in
from usage.models import AccessLimit, Price
from waops.access.log import AccessRecord
from waops.access.permissions import MANAGERS, OPERATORS, SUPPORT
from waops.accounts.models import SignInEvent
from waops.models import ArchivedRow, InstalledObject

GROUPS = {"S": SUPPORT, "M": MANAGERS, "O": OPERATORS}
DONE = {200, 204, 302, 400, 405, 409}
"""Responses to a form that the person may send, right or wrong."""


def patterns(resolver: Any = None, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every page with its full name; an empty one for what only leads on to another page."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, f"{entry.namespace}:" if entry.namespace else space)
        else:
            yield f"{space}{entry.name}" if entry.name else "", entry


NAMES = sorted({name for name, _ in patterns() if name})


def test_every_page_has_a_rule_and_every_rule_a_page() -> None:
    assert set(NAMES) == set(RULES) | PUBLIC


def single_rows(person: Any) -> dict[str, Any]:
    """One row of each model that belongs to no business."""
    return {
        "waops.user": person,
        "waops.installedobject": InstalledObject.objects.first(),
        "waops.archivedrow": ArchivedRow.objects.create(table="t", row_id="1", row={}, repair="r"),
        "waops.accessrecord": AccessRecord.objects.create(
            at=factories.ago(days=1), person=person, person_name="p", action="read", what="usage.profile"
        ),
        "waops.signinevent": SignInEvent.objects.first(),
        "auth.group": Group.objects.get(name=SUPPORT),
        "waffle.sample": Sample.objects.create(name="tried", percent=1),
        "usage.accesslimit": AccessLimit.objects.create(group=Group.objects.create(name="nobody")),
        "usage.price": Price.objects.create(
            model="m", valid_from="2026-01-01", input_per_million=1, output_per_million=1
        ),
        "escalations.closingoutcome": ClosingOutcome.objects.first(),
        "escalations.cannednote": CannedNote.objects.first(),
        "escalations.cannedreply": CannedReply.objects.first(),
        "escalations.slatarget": SLATarget.objects.first(),
        "escalations.workingday": WorkingDay.objects.first()
        or WorkingDay.objects.create(weekday=0, begins="09:00", ends="17:00"),
    }


def address(name: str, rule: Rule, rows: dict[str, Any]) -> str | None:
    """None where there is no such row to be had."""
    arguments = list(rule.arguments.values())
    if rule.row:
        row = rows.get(rule.row)
        if row is None:
            return None
        arguments = [row.pk, *arguments]
    return reverse(name, args=arguments)


def shown(answer: HttpResponseBase) -> str:
    return b"".join(answer).decode(errors="replace")


class Matrix:
    """What one person gets of every page; `wrong` collects what the rules do not say."""

    def __init__(self, client: Client, group: str, *, is_limited: bool, other: World) -> None:
        self.client, self.group, self.is_limited, self.other = client, group, is_limited, other
        self.wrong: list[str] = []

    def may(self, rule: Rule, method: str, letters: str) -> bool:
        if letters == "-" or (self.is_limited and rule.everybodys):
            return False
        if self.is_limited and rule.shared and method == "post":
            return False
        return self.group == "A" or self.group in letters

    def visit(self, name: str, rule: Rule, page: str, *, is_hidden: bool) -> None:
        for method, letters in (("get", rule.sees), ("post", rule.acts)):
            if method == "post" and (name == "admin:logout" or self.sends_nothing(rule, is_hidden=is_hidden)):
                continue
            ask = {"get": rule.query, "post": rule.data}[method]
            answer = getattr(self.client, method)(page, ask)
            expected = self.expected(rule, method, letters, is_hidden=is_hidden)
            if answer.status_code not in expected:
                self.wrong.append(f"{method} {page}: {answer.status_code}, not {sorted(expected)}")
            if self.is_limited:
                asked = {part for part in page.split("/") if part}
                if seen := traces_in(shown(answer) + str(answer.headers), self.other) - asked:
                    self.wrong.append(f"{method} {page} shows {sorted(seen)}")

    def sends_nothing(self, rule: Rule, *, is_hidden: bool) -> bool:
        """A page that a form only brings back: sent to where it must be refused, and not where it is had already."""
        return rule.acts == rule.sees and not rule.only_sends and not is_hidden and self.may(rule, "post", rule.acts)

    def expected(self, rule: Rule, method: str, letters: str, *, is_hidden: bool) -> set[int]:
        if not self.may(rule, method, letters):
            led_on = {302} if rule.only_sends and method == "get" else set()
            return {403, 405} | led_on | ({404} if is_hidden or rule.arguments else set())
        if rule.only_sends and method == "get":
            return {302, 404, 405}
        if rule.missing or is_hidden:
            return {404} if rule.missing else {rule.hidden}
        return DONE if method == "post" else {200}


@pytest.fixture
def worlds(db) -> tuple[World, World]:
    return own_and_other()


@pytest.mark.parametrize(
    ("group", "is_limited"),
    [("S", False), ("M", False), ("O", False), ("A", False), ("S", True), ("M", True), ("A", True)],
    ids=["support", "manager", "operator", "administrator", "limited-support", "limited-manager", "limited-admin"],
)
def test_everybody_gets_what_the_rules_say(worlds, group: str, is_limited: bool) -> None:
    own, other = worlds
    values = {"username": "somebody", "is_superuser": group == "A"}
    person = factories.staff(*([GROUPS[group]] if group in GROUPS else []), **values)
    if is_limited:
        limited(person, own.business)
    client = signed_in(person)
    singles = single_rows(person)
    matrix = Matrix(client, group, is_limited=is_limited, other=other)
    for name in NAMES:
        if name in PUBLIC:
            continue
        rule = RULES[name]
        if page := address(name, rule, singles | own.rows):
            matrix.visit(name, rule, page, is_hidden=False)
        if rule.row in other.rows and (page := address(name, rule, other.rows)):
            matrix.visit(name, rule, page, is_hidden=is_limited)
    assert not matrix.wrong, "\n".join(matrix.wrong)


def test_people_who_are_not_logged_in_get_the_login_page(worlds) -> None:
    own, _ = worlds
    rows = single_rows(factories.staff()) | own.rows
    client = Client()
    for name in sorted(set(NAMES) - PUBLIC - {"admin:logout"}):
        page = address(name, RULES[name], rows)
        if page is None:
            continue
        for answer in (client.get(page), client.post(page)):
            if name == "admin:escalations_escalation_live":
                assert answer.status_code == 403
            else:
                assert answer.status_code == 302, page
                assert answer.headers["Location"].startswith("/login/"), page


def test_pages_without_a_name_only_lead_on() -> None:
    leading = [str(pattern.pattern) for name, pattern in patterns() if not name]
    assert set(leading) <= {"<path:object_id>/", "(?P<url>.*)$"}
