"""A newcomer's desk: escalations in every state, by the desk's own procedures, once, and on demo data only."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from escalations.models import EscalationState, Event
from escalations.procedures import claim
from escalations.queries import View, in_view
from tests import factories, wording
from waops.dev.demo import load
from waops.models import User

pytestmark = pytest.mark.django_db


def run() -> None:
    call_command("demo", "desk", stdout=StringIO())


@pytest.fixture
def staff() -> None:
    call_command("demo", "staff", stdout=StringIO())


@pytest.fixture
def demo(staff) -> None:
    connection.ensure_connection()
    load(connection.connection)


def test_every_list_of_the_desk_shows_something(demo) -> None:
    support, day = User.objects.get(username="support"), timezone.localdate()
    before = in_view(View.TODAY, support.pk).count()  # of the demo data itself: more in the evening
    run()
    sizes = {view: in_view(view, support.pk).count() for view in View}
    assert (sizes[View.MINE], sizes[View.SNOOZED]) == (3, 2)
    assert sizes[View.TODAY] == before + 10 or timezone.localdate() != day
    assert sizes[View.UNCLAIMED] > 20
    kinds = Counter(Event.objects.values_list("kind", flat=True))
    assert kinds == {"resolved": 10, "claimed": 4, "snoozed": 2, "handed_over": 1, "noted": 1}
    assert set(Event.objects.values_list("actor_name", flat=True)) == {"support", "نورة العتيبي"}
    assert EscalationState.objects.exclude(outcome=None).exclude(note="").count() == 10


def test_a_second_time_it_adds_nothing(demo) -> None:
    run()
    before = list(Event.objects.order_by("pk").values()), list(EscalationState.objects.order_by("pk").values())
    run()
    assert before == (
        list(Event.objects.order_by("pk").values()),
        list(EscalationState.objects.order_by("pk").values()),
    )


def test_it_leaves_a_desk_with_a_history_alone(demo) -> None:
    escalation = in_view(View.OPEN, 0)[0]
    claim([escalation.pk], User.objects.get(username="admin"))
    run()
    assert Event.objects.count() == 1


def test_it_leaves_real_businesses_alone(demo) -> None:
    factories.business("Real")  # its owner has an address that could be a real person's
    run()
    assert not Event.objects.exists()


def test_it_refuses_a_real_database(settings) -> None:
    settings.EMBEDDED_POSTGRES = settings.DEBUG = False
    with pytest.raises(CommandError, match=wording.DEMO_ON_A_REAL_DATABASE):
        run()
