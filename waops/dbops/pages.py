"""What each operations page shows: from the request to the template's context."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.db import connection
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.dbops.checklist import ItemState, checklist
from waops.dbops.comparison import compare
from waops.dbops.connections import report_connections
from waops.dbops.doctor import diagnose, functions
from waops.dbops.drift import find_drift
from waops.dbops.explain_comparison import compare_baselines
from waops.dbops.figures import Figures, moment
from waops.dbops.findings import Finding, Severity, worst_first
from waops.dbops.indexes import report_indexes
from waops.dbops.models import Backup, ExplainBaseline, Snapshot
from waops.dbops.reading import bounded
from waops.dbops.rollout import DURATIONS, adoption_figures, change_figures, line_figures, switches, traceable
from waops.dbops.security import lint_security
from waops.dbops.statements import ORDERS, read_statements, statement_figures
from waops.dbops.tables import report_tables, service_tables

CHOICES = 50
"""Most snapshots or baselines offered by a form."""


@dataclass
class Content:
    """`findings` is None on a page that evaluates nothing. `extra` is for the page's own template."""

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
    """One page; its address is its name, and `doctor` has the first. `lead` says in one sentence what it is for."""

    name: str
    title: Promise
    lead: Promise
    content: Callable[[HttpRequest], Content]
    template: str = "waops/dbops/page.html"
    tab: str = "health"
    """Key of TABS."""


@dataclass
class Step:
    """A phase of the checklist; the first unfinished one is current."""

    name: str
    states: list[ItemState]
    is_due: bool = False

    @property
    def done(self) -> int:
        return sum(state.done for state in self.states)

    @property
    def is_done(self) -> bool:
        return self.done == len(self.states)

    @property
    def is_open(self) -> bool:
        """Whether the phase is unfolded: it is the current one, or has begun."""
        return self.is_due or 0 < self.done < len(self.states)


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
        raise BadRequest(_("This list cannot be sorted by “%(value)s”.") % {"value": order[:50]})
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


def functions_page(request: HttpRequest) -> Content:
    chosen = request.GET.get("function", "")
    if chosen and chosen not in traceable():
        raise BadRequest(_("“%(value)s” cannot be traced.") % {"value": chosen[:50]})
    return Content(
        figures=[adoption_figures(), line_figures(chosen), change_figures()],
        extra={
            "switches": switches(),
            "traceable": sorted(traceable()),
            "chosen": chosen,
            "durations": DURATIONS.items(),
            "stopped": sorted(settings.MESSAGE_PATH_KILL_SWITCH),
        },
    )


def security(request: HttpRequest) -> Content:
    with bounded(connection):
        return Content(worst_first(lint_security(connection)))


def checklist_page(request: HttpRequest) -> Content:
    states = checklist()
    phases = [Step(phase.label, list(items)) for phase, items in groupby(states, key=lambda state: state.item.phase)]
    due = next((step for step in phases if not step.is_done), None)
    if due:
        due.is_due = True
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


TABS = {
    "health": gettext_lazy("Health"),
    "performance": gettext_lazy("Performance"),
    "change": gettext_lazy("Change"),
    "access": gettext_lazy("Access"),
}
PAGES = (
    Page(
        "doctor",
        gettext_lazy("Doctor"),
        gettext_lazy("How much of the plan is installed, what is wrong, and the command that fixes it."),
        doctor,
    ),
    Page(
        "checklist",
        gettext_lazy("Checklist"),
        gettext_lazy("The steps of the plan. Measurable steps tick themselves."),
        checklist_page,
        "waops/dbops/checklist.html",
        tab="change",
    ),
    Page(
        "functions",
        gettext_lazy("Functions"),
        gettext_lazy("Rollout percentages of the database functions, and traces of their calls."),
        functions_page,
        "waops/dbops/functions.html",
        tab="change",
    ),
    Page(
        "slow-queries",
        gettext_lazy("Slow queries"),
        gettext_lazy("The statements that use most of the server's time."),
        statements,
        "waops/dbops/statements.html",
        tab="performance",
    ),
    Page(
        "indexes",
        gettext_lazy("Indexes"),
        gettext_lazy("Unused, redundant and invalid indexes."),
        indexes,
        "waops/dbops/relations.html",
        tab="performance",
    ),
    Page(
        "tables",
        gettext_lazy("Tables"),
        gettext_lazy("Size, vacuum state and how they are read."),
        tables,
        "waops/dbops/relations.html",
        tab="performance",
    ),
    Page(
        "connections",
        gettext_lazy("Connections"),
        gettext_lazy("Who is connected, and which sessions block others."),
        connections,
        "waops/dbops/connections.html",
        tab="access",
    ),
    Page(
        "snapshots",
        gettext_lazy("Snapshots"),
        gettext_lazy("The database's figures at two moments, compared."),
        snapshots,
        "waops/dbops/snapshots.html",
        tab="change",
    ),
    Page(
        "plans",
        gettext_lazy("Query plans"),
        gettext_lazy("Plans of the hot statements, before and after."),
        plans,
        "waops/dbops/plans.html",
        tab="performance",
    ),
    Page(
        "drift",
        gettext_lazy("Drift"),
        gettext_lazy("Differences between the live tables and those this app was written for."),
        drift,
        tab="change",
    ),
    Page(
        "security",
        gettext_lazy("Security"),
        gettext_lazy("What others can do with the functions and tables of this database."),
        security,
        tab="access",
    ),
)
