"""Several processes and one Redis: each sees what the others change, and none needs Redis to be there."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches
from django.test import Client

from conversations.models import WhatsAppInstance
from escalations.models import SLATarget
from escalations.sla import SLATargets
from tests import factories
from tests.programs import Redis
from tests.waops.test_connection_checks import url
from waops.database.flags import uses_function
from waops.serving.cache_url import cache_settings
from waops.serving.shared_cache import SharedCache


@pytest.fixture
def redis(tmp_path: Path, settings) -> Iterator[Redis]:
    """A running server that Django's caches are in."""
    server = Redis(tmp_path)
    server.start()
    config = cache_settings(server.url)
    settings.CACHES = {"default": config, "flags": {**config, "KEY_PREFIX": "flags"}}
    yield server
    server.stop()
    SharedCache._is_away, SharedCache._resting_until = False, 0.0


def elsewhere(database: str, redis: Redis, code: str) -> None:
    """Run by another process of the app, on the same database and the same Redis."""
    subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {code}"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "waops.settings",
            "DATABASE_URL": url(database),
            "SECRET_KEY": "x" * 50,
            "CACHE_URL": redis.url,
        },
        check=True,
        timeout=120,
    )


def test_what_another_process_changes_is_seen_at_once(committed_database: str, redis: Redis) -> None:
    target = SLATargets.load().target("").long
    assert uses_function("message_arrived")
    change = (
        "from escalations.models import SLATarget as T; "
        "from waffle.models import Sample; "
        "target = T.objects.get(plan_type=''); target.warn_minutes += 1; target.save(); "
        "sample = Sample.objects.get(name='message_arrived'); sample.percent = 0; sample.save()"
    )
    elsewhere(committed_database, redis, change)
    assert SLATargets.load().target("").long > target
    assert not uses_function("message_arrived")


def test_without_redis_pages_work_and_the_log_has_one_line(
    committed_database: str, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    client.force_login(factories.staff("Support", "Managers", "Operators"), settings.AUTHENTICATION_BACKENDS[-1])
    pages = ["/", "/escalations/escalation/", "/escalations/escalation/live/", "/usage/profile/"]
    factories.instance()
    redis.stop()
    with caplog.at_level(logging.INFO, logger="waops.serving.shared_cache"):
        for page in pages:
            assert client.get(page).status_code == 200, page
        assert WhatsAppInstance.objects.count() == 1
        assert SLATarget.objects.exists()
    assert [record.levelname for record in caplog.records if record.name == "waops.serving.shared_cache"] == ["WARNING"]


def test_it_is_used_again_when_it_is_back(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    cache = caches["default"]
    cache.set("key", 1)
    redis.stop()
    assert cache.get("key", "absent") == "absent"
    redis.start()
    SharedCache._resting_until = 0.0
    with caplog.at_level(logging.INFO, logger="waops.serving.shared_cache"):
        cache.set("key", 2)
        assert cache.get("key") == 2
        assert cache.get("key") == 2
    assert [record.message for record in caplog.records if record.levelname == "INFO"] == ["The shared cache is back."]


def test_a_value_that_cannot_be_unpickled_is_absent_and_is_replaced(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    cache = caches["default"]

    def spoil() -> None:
        # The second names a class that is gone.
        for key, value in {"key": b"garbage", "other": b"cwaops.gone\nGone\n."}.items():
            cache._cache.get_client(key, write=True).set(cache.make_and_validate_key(key), value)

    spoil()
    cache.set("sound", 7)
    assert cache.get("key", "absent") == "absent"
    assert cache.get_many(["key", "other", "sound"]) == {"sound": 7}
    assert [record.levelname for record in caplog.records if "cannot be read" in record.message] == ["WARNING"] * 2
    spoil()
    assert cache.get_or_set("other", lambda: 3) == 3
    assert cache.get("other") == 3


def test_while_it_is_away_it_behaves_like_an_empty_cache(redis: Redis) -> None:
    cache = caches["default"]
    redis.stop()
    for _attempt in range(2):  # the second time it is not even asked
        cache.set("key", 1)
        cache.set_many({"key": 1})
        assert cache.add("key", 1)
        assert cache.get("key") is None
        assert cache.get_or_set("key", lambda: 3) == 3
        assert cache.get_many(["key"]) == {}
        assert not cache.touch("key")
        assert not cache.delete("key")
        assert not cache.has_key("key")
        cache.delete_many(["key"])
        cache.clear()
        with pytest.raises(ValueError, match="key"):
            cache.incr("key")
