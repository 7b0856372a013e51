"""Canned notes, filled in for one case."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from escalations.criteria import Case
from escalations.models import CannedNote
from escalations.procedures.calls import name_of
from waops import personal
from waops.models import User

PLACEHOLDER = re.compile(r"\{(?:customer|number|business|me)\}")


@dataclass(frozen=True)
class FilledNote:
    """A pair of texts, each with its title."""

    title_en: str
    title_ar: str
    text_en: str
    text_ar: str


def fill(notes: Iterable[CannedNote], case: Case, writer: User) -> list[FilledNote]:
    """With {customer}, {number}, {business} and {me} replaced; a customer without a name is the number."""
    number = personal.number_in_groups(case.whatsapp_number).replace("\N{NO-BREAK SPACE}", " ")
    values = {
        "{customer}": personal.text(case.customer_name or "") or number,
        "{number}": number,
        "{business}": case.business_name or case.number_name or "—",
        "{me}": name_of(writer),
    }
    return [
        FilledNote(note.title_en, note.title_ar, _filled(note.text_en, values), _filled(note.text_ar, values))
        for note in notes
    ]


def _filled(text: str, values: dict[str, str]) -> str:
    """In one pass, so that a customer who is called {me} stays so."""
    return PLACEHOLDER.sub(lambda found: values[found[0]], text)
