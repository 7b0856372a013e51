"""Phone numbers, as people type them and as pages show them."""

import pytest

from tests.factories import WRITTEN
from waops.access.phones import digits, readable


@pytest.mark.parametrize("written", WRITTEN)
def test_any_written_form_is_the_stored_number(written: str) -> None:
    assert digits(written) == "201012345678"


@pytest.mark.parametrize("text", ["", "Mona", "20101x", "201012345678@lid", "²³"])
def test_other_ids_are_not_numbers(text: str) -> None:
    assert digits(text) == ""


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("201012345678", "+20 10 12345678"),
        ("966551234567", "+966 55 123 4567"),
        ("96563969871", "+965 6396 9871"),
        ("12025550123", "+1 202 555 0123"),
        ("493012345678", "+49 30 12345678"),
        ("147222215372001", "147222215372001"),
        ("999123456789", "999123456789"),
        ("147222215372001@lid", "147222215372001@lid"),
        ("120363025246125486", "120363025246125486"),
        ("", ""),
    ],
)
def test_it_is_shown_in_its_countrys_groups(number: str, shown: str) -> None:
    assert readable(number).replace("\u00a0", " ") == shown
