"""One section of the doctor's result."""

from dataclasses import dataclass, field

from waops.dbops.figures import Figures
from waops.dbops.findings import Finding, Severity


@dataclass
class Section:
    findings: list[Finding] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)


def problem(code: str, subject: str, count: int, what: str, why: str, *fixes: str) -> list[Finding]:
    """A warning if anything was counted."""
    return [Finding(code, Severity.WARNING, subject, what, why, fixes)] if count else []
