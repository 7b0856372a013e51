"""Compare two EXPLAIN baselines statement by statement, and describe what changed."""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.hot_statements import STATEMENTS
from waops.dbops.models import ExplainBaseline

ARROW = "→"
INSIDE = {statement.name: statement.inside for statement in STATEMENTS}


@dataclass(frozen=True)
class PlanChange:
    """Times in milliseconds (median), blocks of 8 KB; `change` is relative: -0.8 is five times faster."""

    name: str
    before_ms: float | None
    after_ms: float | None
    change: float | None
    blocks_before: int | None
    blocks_after: int | None
    rows_before: int | None
    rows_after: int | None
    words: str
    inside: str
    """Functions that contain the statement."""


COLUMNS = (
    Column("name", gettext_lazy("statement")),
    Column("before_ms", gettext_lazy("before, ms"), Kind.MILLISECONDS),
    Column("after_ms", gettext_lazy("after, ms"), Kind.MILLISECONDS),
    Column("change", gettext_lazy("change"), Kind.PERCENT),
    Column("blocks_before", gettext_lazy("pages before"), Kind.COUNT),
    Column("blocks_after", gettext_lazy("pages after"), Kind.COUNT),
    Column("rows_before", gettext_lazy("rows before"), Kind.COUNT),
    Column("rows_after", gettext_lazy("rows after"), Kind.COUNT),
    Column("words", gettext_lazy("what changed")),
    Column("inside", gettext_lazy("Functions"), Kind.NAME, wide=True),
)


def compare_baselines(before: ExplainBaseline, after: ExplainBaseline) -> Figures:
    """The changes of all statements, the slowest before first."""
    old, new = before.plans["statements"], after.plans["statements"]
    rows = [_compare(name, old.get(name), new.get(name)) for name in {**new, **old}]
    rows.sort(key=lambda row: (-(row.before_ms or float("inf")), row.name))
    title = f"{before.name} {ARROW} {after.name}"
    return Figures("statements", title, COLUMNS, rows)


def _compare(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> PlanChange:
    before_ms, after_ms = _median(old), _median(new)
    return PlanChange(
        name=_(name),
        before_ms=before_ms,
        after_ms=after_ms,
        change=after_ms / before_ms - 1 if before_ms and after_ms is not None else None,
        blocks_before=(old or {}).get("blocks"),
        blocks_after=(new or {}).get("blocks"),
        rows_before=(old or {}).get("rows"),
        rows_after=(new or {}).get("rows"),
        words="; ".join(_words(old, new)),
        inside=", ".join(INSIDE.get(name, ())),
    )


def _median(result: dict[str, Any] | None) -> float | None:
    return statistics.median(result["times"]) if result and result.get("times") else None


def _words(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Iterator[str]:
    for result, when in ((old, _("before")), (new, _("after"))):
        if result and "error" in result:
            yield f"{when}: {result['error']}"
    if not old or not new or not old.get("plan") or not new.get("plan"):
        return
    first, second = accesses(old["plan"]), accesses(new["plan"])
    for table in {**first, **second}:
        was, now = first.get(table, []), second.get(table, [])
        if was != now:
            yield f"{' + '.join(was) or '—'} {ARROW} {' + '.join(now) or '—'}"
    was_sorted, is_sorted = (
        any("Sort" in node["Node Type"] for node in nodes(plan)) for plan in (old["plan"], new["plan"])
    )
    if was_sorted and not is_sorted:
        yield _("no longer sorts")
    elif is_sorted and not was_sorted:
        yield _("sorts now")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's nodes, outermost first."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def accesses(plan: dict[str, Any]) -> dict[str, list[str]]:
    """How each table is read, by table name, in EXPLAIN's words: "Index Scan using idx on table"."""
    found: dict[str, list[str]] = defaultdict(list)
    for node in nodes(plan):
        table = node.get("Relation Name")
        if table is None or "Scan" not in node["Node Type"]:
            continue
        indexes = [inner["Index Name"] for inner in nodes(node) if "Index Name" in inner]
        using = f" using {' and '.join(indexes)}" if indexes else ""
        found[table].append(f"{node['Node Type']}{using} on {table}")
    return found
