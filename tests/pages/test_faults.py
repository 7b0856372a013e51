"""Whatever the database fails at while a form is sent, the page says nothing that the database does not hold.

The forms are those of every page of the URL configuration, filled in as a browser would send them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from tests import wording
from tests.access.rules import RULES
from tests.pages.sending import LIBRARY, Sent, World
from waops.database.engine.saved import may_write

NOTHING = wording.NOTHING_WAS_SAVED
PERHAPS = wording.PERHAPS_SAVED

FAIL = "DO $$ BEGIN RAISE EXCEPTION 'failed by a test' USING ERRCODE = '57014'; END $$"
"""As a statement that takes too long ends."""
NOT_TRIED = {
    "admin:escalations_escalation_change": "each action has an address for it",
    "admin:escalations_escalation_decide_reply": "needs a reply that is unknown: tests/escalations/replies",
    "admin:escalations_escalation_reply": "asks a gateway between its statements: tests/escalations/replies",
    "admin:escalations_escalation_looking": "sent by a script; nothing else depends on it",
    "admin:second_factor_code": "asks for a code that only the phone of a person knows",
    "admin:waops_operations_connections_terminate": "off, unless a setting allows it",
}
"""Addresses that take a form and have none here that saves anything, with the reason."""


@contextmanager
def failing_at(place: int, fail: Callable[[], None]) -> Iterator[list[str]]:
    """Statements of the request; in the place of one of them comes a failure."""
    statements: list[str] = []

    def execute(run: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        statements.append(str(sql))
        if len(statements) == place:
            fail()
            with context["cursor"].db.wrap_database_errors:
                return context["cursor"].cursor.execute(FAIL)
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield statements


@contextmanager
def failing_commit(place: int, monkeypatch: pytest.MonkeyPatch, *, is_done: bool) -> Iterator[list[bool]]:
    """The answer to that commit is lost, whether it was done or not."""
    commits: list[bool] = []
    commit = BaseDatabaseWrapper._commit

    def lost(self: Any) -> None:
        commits.append(True)
        if len(commits) != place:
            return commit(self)
        if is_done:
            commit(self)
        self.connection.close()
        raise OperationalError from psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "_commit", lost)
        yield commits


class Trial:
    """One form, sent again and again to the same state."""

    def __init__(self, world: World, sent: Sent) -> None:
        self.world, self.sent = world, sent
        self.lies: list[str] = []

    def send(self, what: str) -> None:
        answer, is_saved = self.world.try_out(self.sent)
        text = answer.content.decode(errors="replace")
        if answer.status_code >= 500:
            if is_saved and PERHAPS not in text:
                self.lies.append(f"{what}: saved, and the page says {text[-400:]}")
            if not (NOTHING in text) ^ (PERHAPS in text):
                self.lies.append(f"{what}: the page does not say what was saved: {answer.status_code}")

    def fail_everywhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with failing_at(0, lambda: None) as statements:
            self.send("without a failure")
        writes = {place for place, sql in enumerate(statements, 1) if may_write(sql)}
        for place in range(1, len(statements) + 1):
            with failing_at(place, lambda: None):
                self.send(f"statement {place} fails")
            if {place, place - 1} & writes:
                with failing_at(place, self.world.end_session):
                    self.send(f"the session ends before statement {place}")
        for is_done in (False, True):
            place, made = 0, 1
            while made > place:
                place += 1
                with failing_commit(place, monkeypatch, is_done=is_done) as commits:
                    self.send(f"the answer to commit {place} is lost, done: {is_done}")
                made = len(commits)


def test_the_page_tells_what_the_database_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every form of every page, and every address that only takes a form, is among those that are tried."""
    changing = world.changing()
    reached = {name.partition(" ")[0] for name in changing}
    assert ((world.forms.keys() - changing.keys()) | changes_by_rule()) - reached == set(NOT_TRIED)
    lies: list[str] = []
    for sent in changing.values():
        trial = Trial(world, sent)
        trial.fail_everywhere(monkeypatch)
        lies += [f"{sent.path} {sent.fields}: {lie}" for lie in trial.lies]
    assert not lies, "\n".join(lies)


def changes_by_rule() -> set[str]:
    """Names of the addresses that only take a form, and of the admin's own forms that may be sent by anybody."""
    own = ("_add", "_change", "_delete")
    return {
        name
        for name, rule in RULES.items()
        if name not in LIBRARY and (rule.only_sends or (name.endswith(own) and rule.acts != "-"))
    }
