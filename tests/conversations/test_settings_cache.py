"""A number's settings are read once a session, and for a short time across sessions."""

import uuid

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from conversations.cache import SettingsSession, forget, instance_settings
from conversations.models import AIConfig, WhatsAppInstance
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def number() -> WhatsAppInstance:
    return factories.instance(escalation_message="first")


def change_elsewhere(number: WhatsAppInstance, message: str) -> None:
    WhatsAppInstance.objects.filter(pk=number.pk).update(escalation_message=message)


def message(number: WhatsAppInstance) -> str | None:
    found = instance_settings(number.pk)
    assert found is not None
    return found.instance["escalation_message"]


def test_the_second_reading_asks_nobody(number, django_assert_num_queries):
    assert message(number) == "first"
    with django_assert_num_queries(0):
        assert message(number) == "first"


def test_a_session_reads_once(number, django_assert_num_queries):
    session = SettingsSession()
    assert session.get(number.pk).instance["escalation_message"] == "first"
    cache.clear()
    with django_assert_num_queries(0):
        assert session.get(number.pk).instance["escalation_message"] == "first"


def test_a_change_through_the_app_is_fresh_at_once(number, django_capture_on_commit_callbacks):
    assert message(number) == "first"
    with django_capture_on_commit_callbacks(execute=True):
        number.escalation_message = "second"
        number.save(update_fields=["escalation_message"])
    assert message(number) == "second"


def test_new_ai_settings_are_fresh_at_once(number, django_capture_on_commit_callbacks):
    assert instance_settings(number.pk).ai_config is None
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.whatsapp_ai_config (user_id, whatsapp_instance_id, system_prompt, is_active)"
            " VALUES (%s, %s, 'Help.', true)",
            [number.business_id, number.pk],
        )
    with django_capture_on_commit_callbacks(execute=True):
        AIConfig.objects.get(instance=number).save(update_fields=["system_prompt"])
    assert instance_settings(number.pk).ai_config["system_prompt"] == "Help."


def test_a_change_elsewhere_is_fresh_within_the_stated_seconds(number, settings, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("django.core.cache.backends.locmem.time.time", lambda: clock[0])
    monkeypatch.setattr("django.core.cache.backends.base.time.time", lambda: clock[0])
    assert message(number) == "first"
    change_elsewhere(number, "second")
    clock[0] += settings.SETTINGS_CACHE_SECONDS - 1
    assert message(number) == "first"
    clock[0] += 2
    assert message(number) == "second"


def test_a_bulk_change_is_fresh_after_forget(number):
    assert message(number) == "first"
    change_elsewhere(number, "second")
    forget(number.pk)
    assert message(number) == "second"


def test_a_reader_at_work_cannot_put_old_settings_back(number, monkeypatch):
    from conversations import cache as module

    read = module._read

    def slow(instance_id: uuid.UUID):
        found = read(instance_id)
        change_elsewhere(number, "second")
        forget(instance_id)
        return found

    monkeypatch.setattr(module, "_read", slow)
    assert message(number) == "first"
    monkeypatch.setattr(module, "_read", read)
    assert message(number) == "second"


def test_an_unknown_number_is_none_and_not_kept(number):
    assert instance_settings(uuid.uuid4()) is None


def test_a_rolled_back_change_forgets_nothing(number, django_assert_num_queries):
    assert message(number) == "first"
    with transaction.atomic():
        number.save(update_fields=["escalation_message"])
        transaction.set_rollback(True)
    with django_assert_num_queries(0):
        assert message(number) == "first"
