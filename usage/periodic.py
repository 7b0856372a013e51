"""The parts of `manage.py periodic` that concern quota, and the repair of the counts."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usage import alerts, deliveries, rollup
from usage.batches import Outcome
from usage.changes import end_top_ups
from waops.dbops.periodic import Done, Part
from waops.dbops.repairs.command import RepairWord
from waops.dbops.terminal import OperationsCommand
from waops.serving.terminal import Terminal


class NotCountedError(Exception):
    """The database lacks something needed to count AI replies."""


def _counted(state: rollup.Freshness) -> str:
    if state.problem:
        raise NotCountedError(_("AI replies cannot be counted: %(problem)s") % {"problem": state.problem})
    return _("Changes counted: %(count)s.") % {"count": state.counted}


def _count() -> Done:
    return Done(_counted(rollup.refresh(patience=None)))


def _end_top_ups() -> Done:
    results = end_top_ups()
    lines = []
    for result in results:
        if result.outcome is Outcome.CHANGED:
            words = _("%(business)s: the limit is %(limit)s again.")
        else:
            words = _("%(business)s: left at %(limit)s, which was set after the top-up.")
        lines.append(words % {"business": result.business, "limit": result.limit})
    return Done("\n".join([*lines, _("Businesses whose top-ups ended: %(count)s.") % {"count": len(results)}]))


def _raise_alerts() -> Done:
    rollup.refresh(patience=None)
    return Done(_("New alerts: %(count)s.") % {"count": len(alerts.raise_alerts())})


def _send_alerts() -> Done:
    outcomes = deliveries.deliver()
    return Done(
        _("Messages sent: %(sent)s, to retry: %(waiting)s, given up: %(given_up)s.")
        % {"sent": outcomes["sent"], "waiting": outcomes["waiting"], "given_up": outcomes["given_up"]}
    )


FEW_MINUTES = timedelta(minutes=5)
PARTS = (
    Part("usage", gettext_lazy("Counts new AI replies"), timedelta(minutes=1), _count),
    Part("top_ups", gettext_lazy("Removes top-ups that have ended"), FEW_MINUTES, _end_top_ups),
    Part("alerts", gettext_lazy("Records quota alerts that are due"), FEW_MINUTES, _raise_alerts),
    Part("alert_messages", gettext_lazy("Sends the messages of quota alerts"), FEW_MINUTES, _send_alerts),
)


class UsageCounts(RepairWord):
    name = "usage"
    help = "Wrong counts of AI replies in quota figures; reads every AI reply. --apply counts them all again."

    def run(self, command: OperationsCommand, *, apply: bool, **options: Any) -> bool:
        with Terminal(stderr=True).status(_("Counting AI replies…")):
            state = rollup.rebuild() if apply else rollup.refresh(patience=None)
            try:
                text = _counted(state)
            except NotCountedError as error:
                raise CommandError(str(error)) from error
            proof = None if apply else rollup.verify()
        if command.as_json:
            differences = proof and proof.differences
            command.show(
                data={"counted": state.counted, "replies": proof and proof.replies, "differences": differences}
            )
        elif proof is None:
            command.stdout.write(text)
        elif not proof.differences:
            command.stdout.write(_("The counts match all %(count)s AI replies.") % {"count": proof.replies})
        else:
            command.stdout.write(
                _("The counts differ from the AI replies in %(count)s places. Run: manage.py repair usage --apply")
                % {"count": proof.differences}
            )
        return bool(proof and proof.differences)
