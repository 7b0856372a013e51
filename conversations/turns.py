"""End expired turns, and return the quota they reserved."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext

from waops.dbops.periodic import Done, Part

AFTER = timedelta(hours=1)
"""How long after its lease a turn can still be taken over by a redelivered message."""


def end_run_out_turns(after: timedelta = AFTER) -> Iterator[UUID]:
    """End expired turns, each in its own transaction. Returns their messages."""
    before = timezone.now() - after
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT waops.end_run_out_turn(%s)", [before])
            (message_id,) = cursor.fetchone()
        if message_id is None:
            return
        yield message_id


def _end() -> Done:
    count = sum(1 for _message in end_run_out_turns())
    return Done(ngettext("%(count)s turn ended.", "%(count)s turns ended.", count) % {"count": count})


PART = Part("turns", gettext_lazy("Ends expired turns and returns their quota"), timedelta(minutes=5), _end)
"""Their customers stay listed under Needs attention."""
