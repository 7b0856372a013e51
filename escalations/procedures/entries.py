"""What staff add: notes to cases, and cases."""

from uuid import UUID

from conversations.models import Conversation
from escalations.procedures.calls import Actor, Cases, call, name_of, permitted, results
from escalations.procedures.results import Outcome, Result
from waops.access import current


def note(cases: Cases, actor: Actor, text: str) -> list[Result]:
    """Write a note into the history of open or resolved cases: NOTED. It changes no state, and no version.

    Raises PermissionDenied without claim_escalation, ValueError for an empty text.
    """
    user = permitted(actor, "claim_escalation")
    if not text.strip():
        raise ValueError("A note says something.")
    return call("note_escalations", cases, user, p_note=text.strip())


def escalate(conversation_id: UUID, actor: Actor, text: str = "") -> Result:
    """Hand a conversation to people, which silences the AI: ESCALATED, with the new case's id.

    ALREADY_OPEN with the open one's as `other_id`, whoever opened it; NOT_FOUND without such a conversation.
    Raises PermissionDenied without open_escalation.
    """
    user = permitted(actor, "open_escalation")
    if current().is_limited and not Conversation.objects.filter(pk=conversation_id).exists():
        return Result(None, "", Outcome.NOT_FOUND)
    arguments = {
        "p_conversation_id": conversation_id,
        "p_actor_id": user.pk,
        "p_actor_name": name_of(user),
        "p_note": text.strip(),
    }
    [result] = results("escalate_by_hand", arguments)
    return result
