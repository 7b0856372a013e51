"""What staff can do with cases from the desk's pages: address, permission, form and procedure of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from escalations import procedures
from escalations.action_forms import ActionForm, ClaimForm, HandOverForm, NoteForm, ResolveForm, SnoozeForm
from escalations.procedures import Result


@dataclass(frozen=True)
class Action:
    """`name` is in addresses, `permission` as in Escalation's `Meta`; `run(cases, actor, **arguments)` does it."""

    name: str
    label: Promise
    permission: str
    form: type[ActionForm]
    run: Callable[..., list[Result]]

    def is_allowed(self, user: Any) -> bool:
        return bool(user.has_perm(f"escalations.{self.permission}"))


CLAIM = Action("claim", pgettext_lazy("escalations", "Claim"), "claim_escalation", ClaimForm, procedures.claim)
RELEASE = Action("release", pgettext_lazy("escalations", "Release"), "claim_escalation", ClaimForm, procedures.release)
RESOLVE = Action(
    "resolve", pgettext_lazy("escalations", "Resolve"), "resolve_escalation", ResolveForm, procedures.resolve
)
SNOOZE = Action("snooze", pgettext_lazy("escalations", "Snooze"), "claim_escalation", SnoozeForm, procedures.snooze)
WAKE = Action("wake", pgettext_lazy("escalations", "Wake"), "claim_escalation", ActionForm, procedures.wake)
HAND_OVER = Action("hand-over", _("Hand over"), "claim_escalation", HandOverForm, procedures.hand_over)
NOTE = Action("note", _("Add note"), "claim_escalation", NoteForm, procedures.note)
REOPEN = Action("reopen", _("Reopen"), "reopen_escalation", ActionForm, procedures.reopen)

ACTIONS = {action.name: action for action in (CLAIM, RELEASE, RESOLVE, SNOOZE, WAKE, HAND_OVER, NOTE, REOPEN)}
BULK = {action.name: action for action in (CLAIM, RELEASE, RESOLVE, SNOOZE)}
"""Those that the queue offers for many cases at once."""

UNDO = {RESOLVE.name: REOPEN, SNOOZE.name: WAKE, CLAIM.name: RELEASE, RELEASE.name: CLAIM}
"""What takes back each of BULK."""
