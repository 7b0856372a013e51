"""What the AI would read now: the function that the service calls, with its legacy path behind it."""

import pytest
from django.db import connection
from waffle.testutils import override_sample

from escalations.models import Escalation
from tests import factories, wording
from tests.escalations.conftest import address
from waops.database.incidents import Incident


@pytest.fixture
def escalation(db) -> Escalation:
    escalation = factories.waiting(minutes=5, content="Where is it? <b>")
    chat = escalation.instance.conversations.get()
    factories.message(chat, "Let me see.", "assistant")
    factories.interaction(chat, user_message="How much is it?")
    return escalation


def test_it_shows_the_messages_and_who_answers(support, escalation: Escalation) -> None:
    text = support.get(address(escalation, "ai_context")).content.decode()
    assert text.index("Where is it? &lt;b&gt;") < text.index("Let me see.") < text.index("How much is it?")
    assert wording.PERSON_NOT_AI in text
    Escalation.objects.update(resolved_at=factories.ago(minutes=1))
    assert wording.PERSON_NOT_AI not in support.get(address(escalation, "ai_context")).content.decode()


def test_the_legacy_path_shows_the_same(support, escalation: Escalation) -> None:
    def shown() -> str:
        text = support.get(address(escalation, "ai_context")).content.decode()
        return text[text.index('id="content-main"') :]

    by_function = shown()
    with override_sample("get_conversation_with_context", active=False):
        assert shown() == by_function
    assert not Incident.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION public.get_conversation_with_context CASCADE")
    assert shown() == by_function
    assert Incident.objects.get().procedure == "get_conversation_with_context"


@pytest.mark.parametrize("number", ["", "120363@g.us"])
def test_an_id_of_no_customer_is_shown_unchanged(support, escalation: Escalation, number: str) -> None:
    Escalation.objects.update(whatsapp_number=number)
    assert support.get(address(escalation, "ai_context")).status_code == 200


def test_an_unknown_escalation_is_none(support, escalation: Escalation) -> None:
    missing = address(escalation, "ai_context").replace(str(escalation.pk), "00000000-0000-4000-8000-000000000000")
    assert support.get(missing).status_code == 404
