"""Why a conversation was handed over: the reasons the service has used so far, in words."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    "user_request": _("Asked for a person"),
    "ai_detected_intent": _("The AI saw the need"),
    "custom_ai_instructions": _("The business's own rule"),
    "ai_failure": _("The AI failed"),
    "sensitive_topic": _("Sensitive topic"),
    "low_confidence": _("The AI was unsure"),
    "repeated_question": _("Asked the same again"),
}


def in_words(reason: str | None) -> str:
    """A reason nobody knows yet is shown as it is."""
    if not reason:
        return str(_("Not given"))
    return str(REASONS.get(reason, reason))
