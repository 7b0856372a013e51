"""The plan's checklist of 22 steps.

What measurement proves ticks itself; a person ticks the rest, with a note.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.access.people import User
from waops.dbops.adoption import DAY, Adoption, adoption, take_reading
from waops.dbops.doctor import functions, indexes
from waops.dbops.models import Backup, ChecklistTick, ExplainBaseline, Snapshot
from waops.dbops.plan import plan
from waops.dbops.reading import bounded

SWITCHED = 0.99
"""The callers count as switched if the functions stored at least this share of the last day's messages."""
WATCH = timedelta(hours=24)
WATCH_SNAPSHOTS = 12
"""This many snapshots in the day after the indexes were built count as watched: one every two hours."""
WEEK = 7
"""This many consecutive days with a snapshot count as a watched week."""


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
    """What can be measured, read once for all items. Times are None for what has not happened."""

    backups: list[datetime]
    baselines: list[datetime]
    snapshots: list[datetime]
    first_index_at: datetime | None
    last_index_at: datetime | None
    last_function_at: datetime | None
    indexes: int
    """The plan's indexes, on tables that exist."""
    indexes_damaged: int
    functions_damaged: int
    adoption: Adoption
    """Over the last day."""


Proof = Callable[[Evidence], str | None]
"""Text that proves the item is done; None if nothing proves it."""


@dataclass(frozen=True)
class Item:
    key: str
    phase: Phase
    text: Promise
    proof: Proof | None = None
    how: str = ""
    """The command that produces the proof."""

    @property
    def is_measured(self) -> bool:
        """Whether only measurement can tick it."""
        return self.proof is not None


@dataclass(frozen=True)
class ItemState:
    """`by` is empty if measurement ticked it. `note` is the proof, or what the person wrote."""

    item: Item
    done: bool
    by: str = ""
    at: datetime | None = None
    note: str = ""


def _last_before(moments: Iterable[datetime], step: datetime | None, words: str) -> str | None:
    """Prove that something was done before a step, or at all if the step is still to come."""
    found = [moment for moment in moments if step is None or moment < step]
    return f"{words} {max(found):%Y-%m-%d %H:%M} UTC" if found else None


def _last_after(moments: Sequence[datetime], step: datetime | None, words: str) -> str | None:
    """Prove that something was done after a step and before it too, because one alone cannot be compared."""
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
    return _("%(count)s snapshots in the next 24 hours") % {"count": len(seen)}


def _week_watched(evidence: Evidence) -> str | None:
    """A snapshot on each of seven consecutive days since the last function was installed."""
    start = evidence.last_function_at
    if start is None:
        return None
    days = sorted({moment.date() for moment in evidence.snapshots if moment > start})
    for first, last in zip(days, days[WEEK - 1 :], strict=False):
        if last - first == timedelta(days=WEEK - 1):
            return _("a snapshot each day from %(first)s to %(last)s") % {"first": first, "last": last}
    return None


def _indexes_in_place(evidence: Evidence) -> str | None:
    if evidence.indexes_damaged or not evidence.indexes:
        return None
    return _("all %(count)s are valid and as defined") % {"count": evidence.indexes}


def _functions_in_place(evidence: Evidence) -> str | None:
    if evidence.functions_damaged:
        return None
    return _("all %(count)s are installed and unchanged") % {"count": len(plan().functions)}


def _callers_switched(evidence: Evidence) -> str | None:
    share = evidence.adoption.share
    if share is None or share < SWITCHED:
        return None
    return _("the functions stored %(share).1f %% of the last day's %(count)s new messages") % {
        "share": 100 * share,
        "count": evidence.adoption.messages,
    }


ITEMS = (
    Item(
        "backup",
        Phase.BEFORE,
        gettext_lazy("Take a backup"),
        lambda found: _last_before(found.backups, found.first_index_at, _("backup of")),
        "manage.py backup --file before.dump",
    ),
    Item(
        "explain_before",
        Phase.BEFORE,
        gettext_lazy("Record EXPLAIN ANALYZE of the hot statements"),
        lambda found: _last_before(found.baselines, found.first_index_at, _("recorded")),
        "manage.py rollout explain before",
    ),
    Item(
        "metrics_before",
        Phase.BEFORE,
        gettext_lazy("Record the metrics"),
        lambda found: _last_before(found.snapshots, found.first_index_at, _("snapshot of")),
        "manage.py rollout snapshot --note before",
    ),
    Item("indexes_staging", Phase.INDEXES, gettext_lazy("Build the indexes on staging")),
    Item("indexes_measured", Phase.INDEXES, gettext_lazy("Measure their gain on staging")),
    Item(
        "indexes_production",
        Phase.INDEXES,
        gettext_lazy("Build the indexes in production"),
        _indexes_in_place,
        "manage.py migrate",
    ),
    Item("off_peak", Phase.INDEXES, gettext_lazy("Build them off-peak")),
    Item(
        "indexes_watched",
        Phase.INDEXES,
        gettext_lazy("Watch the next 24 hours"),
        _watched,
        "manage.py periodic",
    ),
    Item(
        "functions_installed",
        Phase.FUNCTIONS,
        gettext_lazy("Install the functions"),
        _functions_in_place,
        "manage.py migrate",
    ),
    Item("functions_tested", Phase.FUNCTIONS, gettext_lazy("Test each function alone")),
    Item("flags_tested", Phase.FUNCTIONS, gettext_lazy("Test the flags and the rollback")),
    Item(
        "caller_storage", Phase.CALLERS, gettext_lazy("Store messages through the function in conversation-storage.ts")
    ),
    Item("caller_webhook", Phase.CALLERS, gettext_lazy("Find or create conversations race-free in whatsapp-webhook")),
    Item("caller_response", Phase.CALLERS, gettext_lazy("Check the quota through the function in generate-response")),
    Item("integration_staging", Phase.CALLERS, gettext_lazy("Test callers and functions together on staging")),
    Item(
        "gradual_deploy",
        Phase.CALLERS,
        gettext_lazy("Raise the rollout percentage in steps, watching fallbacks and errors"),
    ),
    Item(
        "callers_switched",
        Phase.CALLERS,
        gettext_lazy("Switch the callers"),
        _callers_switched,
        "manage.py doctor",
    ),
    Item(
        "explain_after",
        Phase.AFTER,
        gettext_lazy("Record EXPLAIN ANALYZE again"),
        lambda found: _last_after(found.baselines, found.last_index_at, _("recorded")),
        "manage.py rollout explain after",
    ),
    Item(
        "metrics_after",
        Phase.AFTER,
        gettext_lazy("Record the metrics again"),
        lambda found: _last_after(found.snapshots, found.last_function_at, _("snapshot of")),
        "manage.py rollout snapshot --note after",
    ),
    Item(
        "week_watched",
        Phase.AFTER,
        gettext_lazy("Watch the next week"),
        _week_watched,
        "manage.py rollout snapshot",
    ),
    Item("gains_documented", Phase.AFTER, gettext_lazy("Compare before and after, and document the gain")),
    Item("documentation", Phase.AFTER, gettext_lazy("Describe the new path in the service's documentation")),
)


def checklist(using: str = DEFAULT_DB_ALIAS) -> list[ItemState]:
    """All items in the plan's order. A person's tick counts only for what cannot be measured."""
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


def tick(key: str, *, done: bool, note: str, by: User | None, by_name: str = "") -> ChecklistTick:
    """Tick an item with a note on what was done, or undo the tick.

    Raises LookupError for an item that only measurement can tick, ValueError for a tick without a note.
    """
    item = next((item for item in ITEMS if item.key == key and not item.is_measured), None)
    if item is None:
        raise LookupError(key)
    if done and not note.strip():
        raise ValueError(_("Say in the note what was done and where it is documented."))
    name = by.name if by is not None else by_name
    return ChecklistTick.objects.create(
        item=key, done=done, note=note, by_id=by.pk if by is not None else None, by_name=name
    )


def gather(connection: BaseDatabaseWrapper) -> Evidence:
    using = connection.alias
    take_reading(using)
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
        adoption=adoption(DAY, using),
    )
