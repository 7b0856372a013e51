"""Findings are tested as an operator meets them: break it, see it named, run the printed fix, see it gone."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
import pytest
from django.core.cache import cache
from django.core.management import call_command

from waops.dbops.doctor import diagnose
from waops.dbops.findings import Finding
from waops.dev.embedded.server import SUPERUSER

Findings = Callable[[], list[Finding]]


@pytest.fixture
def owner(committed_database: str) -> Iterator[psycopg.Connection]:
    """Another connection as the tables' owner, in autocommit."""
    with psycopg.connect(committed_database, autocommit=True) as session:
        yield session


@pytest.fixture
def superuser(committed_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(committed_database, user=SUPERUSER, autocommit=True) as session:
        yield session


def doctor_findings() -> list[Finding]:
    return diagnose().findings


def the(code: str, findings: list[Finding], subject: str | None = None) -> Finding:
    """The one finding of that code, and of that subject if given."""
    found = [one for one in findings if one.code == code and subject in (None, one.subject)]
    assert len(found) == 1, f"{code}: {found} of {[(one.code, one.subject) for one in findings]}"
    return found[0]


def run_fix(finding: Finding, session: psycopg.Connection) -> None:
    """The printed lines, in order: in a shell, or as that session."""
    assert finding.fix
    assert finding.what
    assert finding.why
    for line in finding.fix:
        words = shlex.split(line) if line.startswith("manage.py ") else []
        if words:
            with suppress(SystemExit):
                call_command(*words[1:], verbosity=0)
        else:
            session.execute(line)  # type: ignore[arg-type]


def assert_named_then_fixed(
    code: str, session: psycopg.Connection, *, subject: str | None = None, findings: Findings = doctor_findings
) -> Finding:
    """See the finding, run its fix, and see it gone. Answers the finding."""
    cache.clear()
    found = the(code, findings(), subject)
    run_fix(found, session)
    cache.clear()
    left = [one for one in findings() if one.code == code and one.subject == found.subject]
    assert left == []
    return found
