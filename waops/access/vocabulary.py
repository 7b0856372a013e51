"""Translate codes that the service stores in English."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

INTENTS = {
    "sales": _("Sales"),
    "technical": _("Technical"),
    "customer-support": _("Customer support"),
    "billing": _("Billing"),
    "general": _("General"),
}
MOODS = {
    "neutral": pgettext_lazy("mood", "Neutral"),
    "happy": pgettext_lazy("mood", "Happy"),
    "satisfied": pgettext_lazy("mood", "Satisfied"),
    "excited": pgettext_lazy("mood", "Excited"),
    "confused": pgettext_lazy("mood", "Confused"),
    "anxious": pgettext_lazy("mood", "Anxious"),
    "frustrated": pgettext_lazy("mood", "Frustrated"),
    "angry": pgettext_lazy("mood", "Angry"),
}
URGENCY = {
    "low": pgettext_lazy("urgency", "Low"),
    "normal": pgettext_lazy("urgency", "Normal"),
    "high": pgettext_lazy("urgency", "High"),
    "urgent": pgettext_lazy("urgency", "Urgent"),
}
STAGES = {
    "new": pgettext_lazy("stage", "New"),
    "interested": pgettext_lazy("stage", "Interested"),
    "customer": pgettext_lazy("stage", "Customer"),
    "loyal": pgettext_lazy("stage", "Loyal"),
    "discovery": pgettext_lazy("stage", "Discovering"),
    "consideration": pgettext_lazy("stage", "Considering"),
    "purchase": pgettext_lazy("stage", "Buying"),
    "onboarding": pgettext_lazy("stage", "Starting"),
    "retention": pgettext_lazy("stage", "Staying"),
    "support": pgettext_lazy("stage", "Needing support"),
}
JOURNEY = {
    "first_time": _("First contact"),
    "researching": _("Browsing"),
    "ready_to_buy": _("Ready to buy"),
    "existing_customer": _("Existing customer"),
}
WISHES = {
    "purchase": _("Wants to buy"),
    "inquiry": _("Has a question"),
    "support": _("Needs help"),
    "complaint": _("Complaining"),
    "comparison": _("Comparing"),
}
STYLES = {
    "formal": pgettext_lazy("style", "Formal"),
    "friendly": pgettext_lazy("style", "Friendly"),
    "direct": pgettext_lazy("style", "Direct"),
    "detailed": pgettext_lazy("style", "Detailed"),
}
PLANS = {
    "launch": pgettext_lazy("plan", "Launch"),
    "scale": pgettext_lazy("plan", "Scale"),
    "growth": pgettext_lazy("plan", "Growth"),
    "authority": pgettext_lazy("plan", "Authority"),
}
KNOWN: dict[str, "StrPromise"] = INTENTS | MOODS | URGENCY | STAGES


def in_words(code: str, words: Mapping[str, "StrPromise"] = KNOWN) -> str:
    """The translation of a code; an unknown code is shown as it is."""
    return str(words.get(code, code))
