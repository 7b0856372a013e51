"""Every form of every page, sent twice as it is: what it does is done once, and a form with a key says so."""

from typing import Any

from tests import wording
from tests.pages.sending import Sent, World
from waops.admin.once import FIELD

TWICE = wording.SUBMITTED_TWICE
ADD_FORMS = 12
"""There are at least so many."""


def test_a_form_that_is_sent_twice_is_done_once(world: World) -> None:
    changing = world.changing()
    wrong = [f"{name}: {what}" for name, sent in changing.items() for what in again(world, sent)]
    assert not wrong, "\n".join(wrong)
    added = [sent for name, sent in changing.items() if name.endswith("_add")]
    assert len(added) >= ADD_FORMS
    assert all(dict(sent.fields).get(FIELD) for sent in added)


def again(world: World, sent: Sent) -> list[str]:
    """What is wrong after the second time."""
    sent.by(world.client)
    first = kept(world, sent)
    answer = sent.by(world.client, follow=True)
    second = kept(world, sent)
    world.restore()
    wrong = [f"{table}: {first[table]}, then {second[table]}" for table in first if first[table] != second[table]]
    if FIELD in dict(sent.fields) and TWICE not in answer.content.decode():
        wrong.append("the page does not say so")
    return wrong


def kept(world: World, sent: Sent) -> dict[str, Any]:
    """All of the database; how many rows there are after a form without a key, which may say again what it said."""
    found = world.read()
    if FIELD in dict(sent.fields):
        return found
    return {table: count for table, (count, _) in found.items() if table != "waops.django_admin_log"}
