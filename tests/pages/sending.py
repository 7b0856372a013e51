"""Every form that the pages of the URL configuration offer, filled in, and the database that they are sent to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
from axes.models import AccessAttempt
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from escalations.procedures import claim, snooze
from tests import factories
from tests.access.rules import ESCALATION, RULES
from tests.access.test_matrix import NAMES, address
from tests.pages.forms import DECIDES, TYPED, Form, Page
from usage.models import Delivery
from waops.models import User

INCIDENTAL = (
    "django_session",
    "escalations_viewing",
    "usage_rollupstate",
    "usage_usagebyperiod",
    "usage_usagedetail",
    "usage_outlook",
    "usage_period",
    "usage_pendinganswer",
    "waops_accessrecord",
)
"""Tables with nothing in them that a form sends."""
TABLES = """
    SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname IN ('public', 'waops') AND NOT tablename = ANY (%s)
"""
GIVEN = {
    "reason": "text",
    "note": "text",
    "password1": "eBqYm2vUZfK",
    "password2": "eBqYm2vUZfK",
    "usable_password": "true",
    "emails": "someone@example.com",
    "plan_type": "Another",
    "name": "another",
    "username": "someone",
    "code": "another",
    "model": "another",
    "thresholds": "70",
    "limit-limit": "77",
    "number": "9",
    "until": TYPED["date"],
    "at": TYPED["datetime-local"],
    "scope": "all",
    # The first of a list is ticked.
    "_selected_action": "",
    "escalation": "",
}
"""Values of fields that the page does not say are required, or that must be of some form."""
LIBRARY = ("admin:login", "admin:logout", "admin:password_change", "admin:auth_user_password_change", "set_language")
"""Django's own, whose passwords take half a second to hash."""


@dataclass(frozen=True)
class Sent:
    """One form as it is sent. `name`: of its address, and of what it does where it can do several things."""

    name: str
    path: str
    fields: tuple[tuple[str, str], ...]

    @property
    def address(self) -> str:
        return urlsplit(self.path).path

    def by(self, client: Client, *, follow: bool = False) -> Any:
        data: dict[str, list[str]] = {}
        for name, value in self.fields:
            data.setdefault(name, []).append(value)
        return client.post(self.path, data, follow=follow)


def offered(path: str, answer: Any) -> list[Sent]:
    """The forms of a page, filled in."""
    if answer.status_code >= 300 or "text/html" not in answer.get("Content-Type", ""):
        return []
    forms = [form for form in Page(path, answer.content.decode()).forms if form.method == "post"]
    return [filled(one) for form in forms if form.buttons and not form.is_hidden for one in form.variants()]


def filled(form: Form) -> Sent:
    match = resolve(urlsplit(form.action).path)
    name = f"{match.namespace}:{match.url_name}" if match.namespace else str(match.url_name)
    # A limit that is sent as it is changes nothing.
    fields = tuple((key, "77" if key == "limit-limit" else value) for key, value in form.filled(GIVEN))
    chosen = [value for key, value in fields if key in DECIDES]
    return Sent(" ".join([name, *chosen]), form.action, fields)


class World:
    """A database that is made as it was after whatever changed it: from copies of its tables."""

    def __init__(self, session: psycopg.Connection[Any], client: Client, forms: dict[str, list[Sent]]) -> None:
        """`session` commits each statement."""
        self.session, self.client, self.forms = session, client, forms
        self.tables = [table for (table,) in session.execute(TABLES, [list(INCIDENTAL)])]
        session.execute("CREATE SCHEMA copies")
        for table in self.tables:
            session.execute(f"CREATE TABLE {copy_of(table)} AS TABLE {table}")
        session.execute("SET session_replication_role = replica")
        self.contents = self.read()
        self.last_writer = self._last_writer()

    def read(self) -> dict[str, Any]:
        parts = [
            f"SELECT '{table}', count(*), sum(hashtextextended(r::text, 0)) FROM {table} AS r" for table in self.tables
        ]
        return {name: rest for name, *rest in self.session.execute(" UNION ALL ".join(parts))}

    def try_out(self, sent: Sent) -> tuple[Any, bool]:
        """The answer, and whether anything had been saved."""
        answer = sent.by(self.client)
        if not connection.is_usable():
            connection.close()
        return answer, self.restore()

    def changing(self) -> dict[str, Sent]:
        """By name, the first form, or the form that confirms it, that changes anything."""
        found = {name: self._changing(sents) for name, sents in sorted(self.forms.items())}
        return {name: sent for name, sent in found.items() if sent}

    def _changing(self, sents: Iterable[Sent]) -> Sent | None:
        for sent in dict.fromkeys(sents):
            answer, is_saved = self.try_out(sent)
            if is_saved:
                return sent
            for confirming in offered(sent.path, answer):
                if (confirming.name, confirming.address) != (sent.name, sent.address):
                    continue
                if self.try_out(confirming)[1]:
                    return confirming
        return None

    def restore(self) -> bool:
        """Whether anything had changed."""
        if self._last_writer() == self.last_writer:
            return False
        changed = self._restore_once()
        if changed:
            # The triggers that always fire have noted it in tables of ours.
            self._restore_once()
        self.last_writer = self._last_writer()
        return bool(changed)

    def _restore_once(self) -> list[str]:
        found = self.read()
        changed = [table for table in self.tables if found[table] != self.contents[table]]
        for table in changed:
            self.session.execute(f"DELETE FROM {table}")
            self.session.execute(f"INSERT INTO {table} SELECT * FROM {copy_of(table)}")
        return changed

    def _last_writer(self) -> Any:
        """Only what writes moves it: asked instead of all tables after what only read."""
        return self.session.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()

    def end_session(self) -> None:
        self.session.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])


def copy_of(table: str) -> str:
    return f"copies.{table.replace('.', '_')}"


def other_states(person: User, own: dict[str, Any], other: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows whose pages offer something else: a claimed or snoozed escalation, a locked account."""
    colleague = factories.staff("Support", username="colleague")
    TOTPDevice.objects.create(user=colleague, confirmed=True)
    AccessAttempt.objects.create(
        username="colleague", attempt_time=timezone.now(), failures_since_start=settings.AXES_FAILURE_LIMIT
    )
    claimed, snoozed = factories.escalation(), other[ESCALATION]
    Delivery.objects.update(state=Delivery.State.GIVEN_UP)
    claim([claimed.pk], person)
    snooze([snoozed.pk], person, None)
    GIVEN.update(to=str(colleague.pk), person=str(colleague.pk), businesses=str(own["usage.profile"].pk))
    return [
        # A conversation that is not escalated.
        {ESCALATION: own["escalations.resolved"], "conversations.conversation": own["conversations.missed"]},
        {ESCALATION: claimed, "waops.user": colleague},
        {ESCALATION: snoozed},
    ]


def found_forms(client: Client, states: Iterable[dict[str, Any]]) -> dict[str, list[Sent]]:
    """By their names; several where one alone may be refused."""
    pages = {
        (path, tuple(rule.query.items()))
        for name, rule in RULES.items()
        for rows in states
        if name in NAMES and name not in LIBRARY and not rule.only_sends and (path := address(name, rule, rows))
    }
    forms: dict[str, list[Sent]] = {}
    for path, query in sorted(pages, key=str):
        for sent in offered(path, client.get(path, dict(query))):
            if sent.name not in LIBRARY:
                forms.setdefault(sent.name, []).append(sent)
    return forms
