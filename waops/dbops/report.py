"""The before-and-after report: the checklist, the promised and the measured gain, the plans."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.dbops.checklist import ItemState, checklist
from waops.dbops.comparison import Activity, activity, compare
from waops.dbops.explain_comparison import compare_baselines
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.models import ExplainBaseline, Snapshot
from waops.dbops.rollout import adoption_figures


@dataclass(frozen=True)
class Gain:
    """All formatted, because units differ."""

    what: str
    promised_before: str
    promised_after: str
    before: str
    after: str


@dataclass(frozen=True)
class ChecklistRow:
    phase: str
    text: str
    done: bool
    by: str
    note: str


GAIN_COLUMNS = (
    Column("what", gettext_lazy("figure")),
    Column("promised_before", gettext_lazy("before (plan)"), Kind.FIGURE),
    Column("promised_after", gettext_lazy("after (plan)"), Kind.FIGURE),
    Column("before", gettext_lazy("before (measured)"), Kind.FIGURE),
    Column("after", gettext_lazy("after (measured)"), Kind.FIGURE),
)
CHECKLIST_COLUMNS = (
    Column("phase", gettext_lazy("phase")),
    Column("text", gettext_lazy("item")),
    Column("done", gettext_lazy("done"), Kind.FLAG),
    Column("by", gettext_lazy("by")),
    Column("note", gettext_lazy("note")),
)


def report() -> list[Figures]:
    """Everything in reading order. Compares the first and last records; what is missing is left out."""
    sections = [checklist_figures(checklist()), adoption_figures()]
    snapshots = _ends(Snapshot.objects.order_by("taken_at", "pk"))
    sections.append(gains(*snapshots))
    if baselines := _ends(ExplainBaseline.objects.order_by("recorded_at", "pk")):
        sections.append(compare_baselines(*baselines))
    if snapshots:
        sections += compare(*snapshots)
    return sections


def checklist_figures(states: Iterable[ItemState]) -> Figures:
    rows = [
        ChecklistRow(
            state.item.phase.label,
            str(state.item.text),
            state.done,
            state.by or (_("measured") if state.done else ""),
            state.note,
        )
        for state in states
    ]
    return Figures("checklist", gettext_lazy("Checklist"), CHECKLIST_COLUMNS, rows)


def gains(first: Snapshot | None = None, last: Snapshot | None = None) -> Figures:
    """The plan's table of promises. The server does not know its CPU load or the number of concurrent conversations."""
    before, after = (activity(one) if one else None for one in (first, last))
    rows = [
        Gain(_("mean query time, ms"), "100", "20 (−80 %)", _mean(before), _mean(after)),
        Gain(_("queries per message"), "5-7", "2-3 (−60 %)", "", _("not measured")),
        Gain(_("connections in use"), "70 %", "25 % (−64 %)", _connections(before), _connections(after)),
        Gain(_("messages stored per minute"), "30-40", "100-150 (×3)", _messages(before), _messages(after)),
        Gain(_("database CPU"), "40 %", "15 % (−62 %)", "", ""),
        Gain(_("concurrent conversations"), "450", "1,350 (×3)", "", ""),
    ]
    note = gettext_lazy(
        "The mean is over all statements the server counted. The database does not know CPU and concurrent "
        "conversations: take them from your provider's charts."
    )
    return Figures("gains", gettext_lazy("The gain"), GAIN_COLUMNS, rows, note)


def _ends(rows: Any) -> tuple[Any, ...]:
    """The first and the last, if there are two."""
    first, last = rows.first(), rows.last()
    return (first, last) if first is not None and first.pk != last.pk else ()


def _mean(one: Activity | None) -> str:
    rows = [row for row in one.statements.values() if row["calls"]] if one else []
    calls = sum(row["calls"] for row in rows)
    return f"{sum(row['total_ms'] for row in rows) / calls:.2f}" if calls else ""


def _connections(one: Activity | None) -> str:
    return str(one.database["connections"]) if one else ""


def _messages(one: Activity | None) -> str:
    """Rows added to the messages table in the period before the snapshot."""
    if one is None or not one.seconds:
        return ""
    stored = one.inserted.get("public.whatsapp_conversation_messages")
    return "" if stored is None else f"{60 * stored / one.seconds:,.1f}"


def as_markdown(sections: Iterable[Figures]) -> str:
    title = _("Before and after, as of %(moment)s") % {"moment": f"{timezone.localtime():%Y-%m-%d %H:%M}"}
    return "\n".join((f"# {title}", *(line for section in sections for line in _section(section)), ""))


def _section(figures: Figures) -> Iterator[str]:
    yield f"\n## {figures.title}\n"
    if not figures.rows:
        yield str(figures.unavailable) or str(figures.empty)
        return
    yield _line(str(column.label) for column in figures.columns)
    yield _line("---:" if column.kind.is_number else "---" for column in figures.columns)
    for cells in figures.cells():
        yield _line(cell.text for cell in cells)
    if figures.note:
        yield f"\n{figures.note}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"
