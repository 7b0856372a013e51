"""What each operations page shows: from the request to the template's context."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.core.exceptions import BadRequest
from django.db import connection
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.operate.checklist import checklist
from waops.operate.comparison import compare
from waops.operate.connections import report_connections
from waops.operate.doctor import diagnose, functions
from waops.operate.drift import find_drift
from waops.operate.explain_comparison import compare_baselines
from waops.operate.figures import Figures, moment
from waops.operate.findings import Finding, Severity, worst_first
from waops.operate.indexes import report_indexes
from waops.operate.models import Backup, ExplainBaseline, Snapshot
from waops.operate.reading import bounded
from waops.operate.security import lint_security
from waops.operate.statements import ORDERS, read_statements, statement_figures
from waops.operate.tables import report_tables, service_tables

CHOICES = 50
"""Snapshots or baselines that a form offers."""


@dataclass
class Content:
    """`findings` is None on a page that judges nothing. `extra` goes to the page's own template."""

    findings: list[Finding] | None = None
    figures: list[Figures] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def urgent(self) -> list[Finding] | None:
        if self.findings is None:
            return None
        return [finding for finding in self.findings if finding.severity is not Severity.NOTE]

    @property
    def notes(self) -> list[Finding]:
        return [finding for finding in self.findings or () if finding.severity is Severity.NOTE]


@dataclass(frozen=True)
class Page:
    """One page; its address is its name, and `doctor` has the first. `lead` says what it is for, in a sentence."""

    name: str
    title: Promise
    lead: Promise
    content: Callable[[HttpRequest], Content]
    template: str = "waops/operations/page.html"


def doctor(request: HttpRequest) -> Content:
    diagnosis = diagnose()
    return Content(diagnosis.findings, diagnosis.figures)


def drift(request: HttpRequest) -> Content:
    with bounded(connection):
        found = worst_first([*find_drift(connection), *functions.examine(connection).findings])
    return Content(found)


def statements(request: HttpRequest) -> Content:
    order = request.GET.get("order", "total")
    if order not in ORDERS:
        raise BadRequest(_("“%(value)s” is not an order of this list.") % {"value": order[:50]})
    ours = request.GET.get("tables") == "ours"
    with bounded(connection):
        found = read_statements(connection, order=order, ours_only=ours)
        figures = statement_figures(found, connection)
    return Content(
        figures=[figures],
        extra={
            "order": order,
            "orders": [("total", _("total time")), ("mean", _("mean time")), ("calls", _("calls"))],
            "ours": ours,
            "since": moment(found.since) if found.since else "",
        },
    )


def indexes(request: HttpRequest) -> Content:
    every = request.GET.get("tables") == "all"
    with bounded(connection):
        report = report_indexes(connection, None if every else service_tables())
    return Content(worst_first(report.findings), [report.figures], {"every": every})


def tables(request: HttpRequest) -> Content:
    every = request.GET.get("tables") == "all"
    with bounded(connection):
        report = report_tables(connection, None if every else service_tables())
    return Content(worst_first(report.findings), [report.figures], {"every": every})


def connections(request: HttpRequest) -> Content:
    with bounded(connection):
        report = report_connections(connection)
    return Content(worst_first(report.findings), report.figures, {"blockers": report.blockers})


def snapshots(request: HttpRequest) -> Content:
    newest = list(Snapshot.objects.only("pk", "taken_at", "note", "commit_ms")[:CHOICES])
    content = Content(extra={"snapshots": newest})
    chosen = _chosen(request)
    if chosen:
        before, after = (_snapshot(number) for number in chosen)
        content.figures = compare(before, after)
        content.extra |= {"before": before, "after": after}
    return content


def plans(request: HttpRequest) -> Content:
    newest = list(ExplainBaseline.objects.only("pk", "name", "recorded_at")[:CHOICES])
    content = Content(extra={"baselines": newest})
    chosen = _chosen(request)
    if chosen:
        before, after = (_baseline(number) for number in chosen)
        content.figures = [compare_baselines(before, after)]
        content.extra |= {"before": before, "after": after}
    return content


def security(request: HttpRequest) -> Content:
    with bounded(connection):
        return Content(worst_first(lint_security(connection)))


def checklist_page(request: HttpRequest) -> Content:
    states = checklist()
    phases = [(phase.label, list(items)) for phase, items in groupby(states, key=lambda state: state.item.phase)]
    return Content(
        extra={
            "phases": phases,
            "done": sum(state.done for state in states),
            "total": len(states),
            "backups": list(Backup.objects.all()[:5]),
        }
    )


def _chosen(request: HttpRequest) -> tuple[str, str] | None:
    before, after = request.GET.get("before", ""), request.GET.get("after", "")
    return (before, after) if before or after else None


def _snapshot(number: str) -> Snapshot:
    found = Snapshot.objects.filter(pk=number).first() if _is_number(number) else None
    if found is None:
        raise BadRequest(_("There is no snapshot “%(number)s”.") % {"number": number[:50]})
    return found


def _baseline(number: str) -> ExplainBaseline:
    found = ExplainBaseline.objects.filter(pk=number).first() if _is_number(number) else None
    if found is None:
        raise BadRequest(_("There is no baseline “%(number)s”.") % {"number": number[:50]})
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


PAGES = (
    Page(
        "doctor",
        gettext_lazy("Doctor"),
        gettext_lazy("What of the plan is in this database, what is wrong, and the command that fixes it."),
        doctor,
    ),
    Page(
        "checklist",
        gettext_lazy("Checklist"),
        gettext_lazy("The steps of the plan. What can be measured ticks itself."),
        checklist_page,
        "waops/operations/checklist.html",
    ),
    Page(
        "slow-queries",
        gettext_lazy("Slow queries"),
        gettext_lazy("The statements that cost the server most."),
        statements,
        "waops/operations/statements.html",
    ),
    Page(
        "indexes",
        gettext_lazy("Indexes"),
        gettext_lazy("Which are used, which do another's work, which are broken."),
        indexes,
        "waops/operations/relations.html",
    ),
    Page(
        "tables",
        gettext_lazy("Tables"),
        gettext_lazy("How large they are, how well kept, how they are read."),
        tables,
        "waops/operations/relations.html",
    ),
    Page(
        "connections",
        gettext_lazy("Connections"),
        gettext_lazy("Who is connected, and who waits for whom."),
        connections,
        "waops/operations/connections.html",
    ),
    Page(
        "snapshots",
        gettext_lazy("Snapshots"),
        gettext_lazy("The figures of one moment beside those of another."),
        snapshots,
        "waops/operations/snapshots.html",
    ),
    Page(
        "plans",
        gettext_lazy("Query plans"),
        gettext_lazy("How the hot statements ran, before and after."),
        plans,
        "waops/operations/plans.html",
    ),
    Page(
        "drift",
        gettext_lazy("Drift"),
        gettext_lazy("Where the live tables differ from those this app was written for."),
        drift,
    ),
    Page(
        "security",
        gettext_lazy("Security"),
        gettext_lazy("What others may do with the functions and tables of this database."),
        security,
    ),
)
