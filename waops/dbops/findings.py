"""Findings: what is wrong, why it matters, and the exact command that fixes it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Severity(StrEnum):
    """Errors and warnings make a command exit with 1; notes do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def label(self) -> str:
        return str({"error": _("Error"), "warning": _("Warning"), "note": _("Note")}[self.value])


@dataclass(frozen=True)
class Finding:
    """One problem that was found.

    `code` is stable, for machines: "index.missing". `subject` names the object. Each line of `fix` is a shell command
    (beginning with `manage.py`) or one SQL statement; run them in order.
    """

    code: str
    severity: Severity
    subject: str
    what: str
    why: str
    fix: tuple[str, ...] = ()
    accept_key: str = ""
    """For a difference that may be intended: the argument of `manage.py doctor drift --accept`."""

    @property
    def fix_text(self) -> str:
        return "\n".join(self.fix)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    order = list(Severity)
    return sorted(findings, key=lambda finding: (order.index(finding.severity), finding.code, finding.subject))


def is_wrong(findings: Iterable[Finding]) -> bool:
    """Whether any of the findings is more than a note."""
    return any(finding.severity is not Severity.NOTE for finding in findings)


@dataclass(frozen=True)
class Damage:
    """`fix`: SQL, in order. `lost`: what the fix cannot bring back. `stops_pages`: pages fail until it is fixed."""

    code: str
    subject: str
    what: str
    fix: tuple[str, ...] = ()
    lost: str = ""
    stops_pages: bool = False

    def finding(self) -> Finding:
        why = gettext("This app, or its part of the message path, does not work properly.")
        return Finding(self.code, Severity.ERROR, self.subject, self.what, why, ("manage.py repair schema --apply",))
