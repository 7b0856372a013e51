"""The choices offered on an escalation's page, cached for everyone, and canned texts with their placeholders
filled in.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from escalations.annotations import AnnotatedEscalation
from escalations.desk.actions import colleagues
from escalations.models import CannedNote, CannedReply, ClosingOutcome
from waops.access import personal
from waops.access.people import User
from waops.database.kept import kept

KEY = "desk-choices"


@dataclass(frozen=True)
class Colleague:
    """A person an escalation can be handed over to: only what the page shows of their account is cached."""

    pk: int
    name: str
    businesses: frozenset[UUID] | None
    """Businesses they are limited to; None if not limited."""

    def sees(self, business: UUID | None) -> bool:
        return self.businesses is None or business in self.businesses


@dataclass(frozen=True)
class Choices:
    outcomes: list[ClosingOutcome]
    canned_notes: list[CannedNote]
    canned_replies: list[CannedReply]
    colleagues: list[Colleague]


def choices() -> Choices:
    """Active outcomes, canned notes and canned replies in their order, and people who may claim escalations."""
    return kept(KEY, read)


def read() -> Choices:
    """As `choices`, but always read from the database."""
    return Choices(
        list(ClosingOutcome.objects.filter(is_active=True)),
        list(CannedNote.objects.filter(is_active=True)),
        list(CannedReply.objects.filter(is_active=True)),
        [Colleague(one.pk, one.name, one.businesses) for one in colleagues()],
    )


PLACEHOLDER = re.compile(r"\{(?:customer|number|business|me)\}")
GAP = re.compile(r"[^\S\n]+(?=[,،.!?؟:;؛\n]|\Z)")
"""What a missing name leaves before a comma."""


@dataclass(frozen=True)
class FilledNote:
    """A pair of texts, each with its title."""

    title_en: str
    title_ar: str
    text_en: str
    text_ar: str


def fill(notes: Iterable[CannedNote], escalation: AnnotatedEscalation, writer: User) -> list[FilledNote]:
    """Replace {customer}, {number}, {business} and {me}; a customer without a name is shown by number."""
    number = personal.number_in_groups(escalation.whatsapp_number).replace("\N{NO-BREAK SPACE}", " ")
    values = {
        "{customer}": personal.text(escalation.customer_name or "") or number,
        "{number}": number,
        "{business}": personal.text(escalation.business_name or escalation.number_name or "—"),
        "{me}": writer.name,
    }
    return [
        FilledNote(note.title_en, note.title_ar, _filled(note.text_en, values), _filled(note.text_ar, values))
        for note in notes
    ]


def fill_replies(replies: Iterable[CannedReply], escalation: AnnotatedEscalation, writer: User) -> list[FilledNote]:
    """Replace {customer}, {business} and {me}. Customers read these texts, so unknown values are left out."""
    name, business = escalation.customer_name or "", escalation.business_name or ""
    values = {
        # The dots of a masked number would be sent.
        "{customer}": " ".join(name.split()) if personal.shows(name) else "",
        "{business}": business if personal.shows(business) else "",
        "{me}": writer.name,
    }
    return [
        FilledNote(
            reply.title_en,
            reply.title_ar,
            GAP.sub("", _filled(reply.text_en, values)),
            GAP.sub("", _filled(reply.text_ar, values)),
        )
        for reply in replies
    ]


def _filled(text: str, values: dict[str, str]) -> str:
    """In one pass, so that a customer who is named {me} is not replaced again."""
    return PLACEHOLDER.sub(lambda found: values.get(found[0], found[0]), text)
