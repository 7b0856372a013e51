"""The plan's checklist: what is proven by measurement ticks itself, the rest is ticked by a person, with a note."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.operate.doctor import functions, indexes
from waops.operate.models import Backup, ChecklistTick, ExplainBaseline, Snapshot
from waops.operate.people import display_name
from waops.operate.plan import plan
from waops.operate.reading import bounded

WATCH = timedelta(hours=24)
WATCH_SNAPSHOTS = 12
"""In the day after the indexes: every two hours at least."""


class Phase(StrEnum):
    BEFORE = "before"
    INDEXES = "indexes"
    FUNCTIONS = "functions"
    CALLERS = "callers"
    AFTER = "after"

    @property
    def label(self) -> str:
        return str(PHASES[self])


PHASES: dict[Phase, Promise] = {
    Phase.BEFORE: gettext_lazy("Before"),
    Phase.INDEXES: gettext_lazy("Phase 1: indexes"),
    Phase.FUNCTIONS: gettext_lazy("Phase 2: functions"),
    Phase.CALLERS: gettext_lazy("Phase 3: callers"),
    Phase.AFTER: gettext_lazy("After"),
}


@dataclass(frozen=True)
class Evidence:
    """What can be measured, read once for all items. Times are None where it has not happened."""

    backups: list[datetime]
    baselines: list[datetime]
    snapshots: list[datetime]
    first_index_at: datetime | None
    last_index_at: datetime | None
    last_function_at: datetime | None
    indexes: int
    """Of the plan, on tables that are there."""
    indexes_damaged: int
    functions_damaged: int


Proof = Callable[[Evidence], str | None]
"""What proves the item, in words; None where nothing does."""


@dataclass(frozen=True)
class Item:
    key: str
    phase: Phase
    text: Promise
    proof: Proof | None = None
    how: str = ""
    """The command that brings the proof about."""

    @property
    def is_measured(self) -> bool:
        """Whether no person can tick it."""
        return self.proof is not None


@dataclass(frozen=True)
class ItemState:
    """`by` is empty where measurement ticked it. `note` is the proof, or what the person wrote."""

    item: Item
    done: bool
    by: str = ""
    at: datetime | None = None
    note: str = ""


def _last_before(moments: Iterable[datetime], step: datetime | None, words: str) -> str | None:
    """Proof that something was done before a step; before a step that is still to come, at all."""
    found = [moment for moment in moments if step is None or moment < step]
    return f"{words} {max(found):%Y-%m-%d %H:%M} UTC" if found else None


def _last_after(moments: Sequence[datetime], step: datetime | None, words: str) -> str | None:
    """Proof that something was done after a step, and before it too: one alone cannot be compared."""
    if len(moments) < 2:
        return None
    found = [moment for moment in moments if step is not None and moment > step]
    return f"{words} {max(found):%Y-%m-%d %H:%M} UTC" if found else None


def _watched(evidence: Evidence) -> str | None:
    start = evidence.last_index_at
    if start is None:
        return None
    seen = [moment for moment in evidence.snapshots if start < moment <= start + WATCH + timedelta(hours=2)]
    if len(seen) < WATCH_SNAPSHOTS or max(seen) < start + WATCH:
        return None
    return _("%(count)s snapshots in the 24 hours after") % {"count": len(seen)}


def _indexes_in_place(evidence: Evidence) -> str | None:
    if evidence.indexes_damaged or not evidence.indexes:
        return None
    return _("all %(count)s are valid and as defined") % {"count": evidence.indexes}


def _functions_in_place(evidence: Evidence) -> str | None:
    if evidence.functions_damaged:
        return None
    return _("all %(count)s are installed and unchanged") % {"count": len(plan().functions)}


ITEMS = (
    Item(
        "backup",
        Phase.BEFORE,
        gettext_lazy("A backup is taken"),
        lambda found: _last_before(found.backups, found.first_index_at, _("backup of")),
        "manage.py backup --file before.dump",
    ),
    Item(
        "explain_before",
        Phase.BEFORE,
        gettext_lazy("EXPLAIN ANALYZE of the hot statements is recorded"),
        lambda found: _last_before(found.baselines, found.first_index_at, _("recorded")),
        "manage.py explain record before",
    ),
    Item(
        "metrics_before",
        Phase.BEFORE,
        gettext_lazy("The metrics are recorded"),
        lambda found: _last_before(found.snapshots, found.first_index_at, _("snapshot of")),
        "manage.py snapshot --note before",
    ),
    Item("indexes_staging", Phase.INDEXES, gettext_lazy("The indexes are built on staging")),
    Item("indexes_measured", Phase.INDEXES, gettext_lazy("Their gain is measured on staging")),
    Item(
        "indexes_production",
        Phase.INDEXES,
        gettext_lazy("The indexes are in production"),
        _indexes_in_place,
        "manage.py migrate",
    ),
    Item("off_peak", Phase.INDEXES, gettext_lazy("They were built off-peak")),
    Item(
        "indexes_watched",
        Phase.INDEXES,
        gettext_lazy("The 24 hours after were watched"),
        _watched,
        "manage.py snapshot",
    ),
    Item(
        "functions_installed",
        Phase.FUNCTIONS,
        gettext_lazy("The functions are installed"),
        _functions_in_place,
        "manage.py migrate",
    ),
    Item("functions_tested", Phase.FUNCTIONS, gettext_lazy("Each function is tested alone")),
    Item("flags_tested", Phase.FUNCTIONS, gettext_lazy("The flags and the way back are tried")),
    Item("callers_switched", Phase.CALLERS, gettext_lazy("The callers are switched, a share at a time")),
    Item(
        "explain_after",
        Phase.AFTER,
        gettext_lazy("EXPLAIN ANALYZE is recorded again"),
        lambda found: _last_after(found.baselines, found.last_index_at, _("recorded")),
        "manage.py explain record after",
    ),
    Item(
        "metrics_after",
        Phase.AFTER,
        gettext_lazy("The metrics are collected again"),
        lambda found: _last_after(found.snapshots, found.last_function_at, _("snapshot of")),
        "manage.py snapshot --note after",
    ),
    Item("gains_documented", Phase.AFTER, gettext_lazy("Before and after are compared, and the gain is documented")),
)


def checklist(using: str = DEFAULT_DB_ALIAS) -> list[ItemState]:
    """In the order of the plan. A person's tick counts only where nothing can be measured."""
    evidence = gather(connections[using])
    ticks: dict[str, ChecklistTick] = {}
    for tick in ChecklistTick.objects.using(using).order_by("at", "pk"):
        ticks[tick.item] = tick
    return [_state(item, evidence, ticks.get(item.key)) for item in ITEMS]


def _state(item: Item, evidence: Evidence, tick: ChecklistTick | None) -> ItemState:
    proof = item.proof(evidence) if item.proof else None
    if proof is not None:
        return ItemState(item, done=True, note=proof)
    if tick is None or not tick.done or item.is_measured:
        return ItemState(item, done=False)
    return ItemState(item, True, tick.by_name, tick.at, tick.note)


def tick(key: str, *, done: bool, note: str, by: AbstractBaseUser | None, by_name: str = "") -> ChecklistTick:
    """A person ticks an item, saying what was done, or takes the tick back.

    Raises LookupError for what only measurement can tick, ValueError for a tick without a note.
    """
    item = next((item for item in ITEMS if item.key == key and not item.is_measured), None)
    if item is None:
        raise LookupError(key)
    if done and not note.strip():
        raise ValueError(_("Say in the note what was done, and where it is written down."))
    name = display_name(by) if by is not None else by_name
    return ChecklistTick.objects.create(
        item=key, done=done, note=note, by_id=by.pk if by is not None else None, by_name=name
    )


def gather(connection: BaseDatabaseWrapper) -> Evidence:
    using = connection.alias
    applied = {
        (row.app, row.name): row.applied for row in MigrationRecorder(connection).migration_qs.using(using).all()
    }
    index_times = [applied[one.migration] for one in plan().indexes if one.migration in applied]
    function_times = [applied[one.migration] for one in plan().functions if one.migration in applied]
    with bounded(connection):
        section = indexes.examine(connection)
        damaged = len(functions.examine(connection).findings)
    return Evidence(
        backups=list(Backup.objects.using(using).values_list("taken_at", flat=True)),
        baselines=list(ExplainBaseline.objects.using(using).values_list("recorded_at", flat=True)),
        snapshots=list(Snapshot.objects.using(using).values_list("taken_at", flat=True)),
        first_index_at=min(index_times, default=None),
        last_index_at=max(index_times, default=None),
        last_function_at=max(function_times, default=None),
        indexes=len(section.figures[0].rows),
        indexes_damaged=len(section.findings),
        functions_damaged=damaged,
    )
