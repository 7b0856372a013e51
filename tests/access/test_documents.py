"""docs/access.md says what retention does."""

import re
from pathlib import Path

from django.conf import settings

from waops.dbops.retention import KEPT


def test_the_periods_in_the_document_are_those_of_the_code() -> None:
    text = Path(settings.BASE_DIR, "docs/access.md").read_text()
    rows = re.findall(r"^\| (\w+) \| .*? \| (\d+) \|$", text, re.MULTILINE)
    assert {name: int(days) for name, days in rows} == {kept.name: kept.days for kept in KEPT}
