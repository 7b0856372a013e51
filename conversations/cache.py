"""A number's settings, kept: for a session, and for SETTINGS_CACHE_SECONDS across sessions.

What this app saves is fresh at once in every process that shares the cache: in all of them with CACHE_URL, in this one
with local memory. What is changed elsewhere, in the database or in another process's memory, is fresh within
SETTINGS_CACHE_SECONDS in every new session.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from conversations.answers import AIConfigRow, InstanceRow
from conversations.models import AIConfig, WhatsAppInstance

READ = """
    SELECT row_to_json(instance), row_to_json(config)
    FROM public.whatsapp_instances AS instance
    LEFT JOIN public.whatsapp_ai_config AS config
        ON config.whatsapp_instance_id = instance.id AND config.is_active = true
    WHERE instance.id = %s
"""


@dataclass(frozen=True)
class InstanceSettings:
    """`ai_config` is None while the number's AI is off."""

    instance: InstanceRow
    ai_config: AIConfigRow | None


class SettingsSession:
    """Reads each number's settings once, however often they are asked for. Make one for each session."""

    def __init__(self) -> None:
        self._read: dict[UUID, InstanceSettings | None] = {}

    def get(self, instance_id: UUID) -> InstanceSettings | None:
        """None for an unknown number."""
        if instance_id not in self._read:
            self._read[instance_id] = instance_settings(instance_id)
        return self._read[instance_id]


def instance_settings(instance_id: UUID) -> InstanceSettings | None:
    """The settings, at most SETTINGS_CACHE_SECONDS old; None for an unknown number, which is not kept."""
    edition_key = _edition_key(instance_id)
    edition = cache.get_or_set(edition_key, _new_edition, settings.SETTINGS_CACHE_SECONDS)
    key = f"{edition_key}:{edition}"
    kept: InstanceSettings | None = cache.get(key)
    if kept is None:
        kept = _read(instance_id)
        if kept is not None:
            cache.set(key, kept, settings.SETTINGS_CACHE_SECONDS)
    return kept


def forget(instance_id: UUID) -> None:
    """Have the settings read anew. Called for whatever this app saves; call it yourself after a bulk update.

    A reader at work cannot put old settings back: it keeps what it read under the edition that it began with.
    """
    cache.set(_edition_key(instance_id), _new_edition(), settings.SETTINGS_CACHE_SECONDS)


@receiver([post_save, post_delete], sender=WhatsAppInstance)
def forget_instance(instance: WhatsAppInstance, **kwargs: Any) -> None:
    transaction.on_commit(lambda: forget(instance.pk))


@receiver([post_save, post_delete], sender=AIConfig)
def forget_ai_config(instance: AIConfig, **kwargs: Any) -> None:
    transaction.on_commit(lambda: forget(instance.instance_id))


def _read(instance_id: UUID) -> InstanceSettings | None:
    with connection.cursor() as cursor:
        cursor.execute(READ, [instance_id])
        row = cursor.fetchone()
    return row and InstanceSettings(*row)


def _edition_key(instance_id: UUID) -> str:
    return f"waops:instance-settings:{instance_id}"


def _new_edition() -> str:
    return uuid4().hex
