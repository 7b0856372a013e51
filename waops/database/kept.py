"""Cache values that are read from the database occasionally.

A page asks the cache for each of them once, however many rows need it. Keys contain the version of the code and the
database, so that neither a deployment with other classes nor another project on the same Redis reads them.
"""

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache as once
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import django
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, connections

Value = TypeVar("Value")

SECONDS = 30
"""How long a change made elsewhere may go unnoticed. Values with another lifetime say why."""

PROJECT = Path(__file__).resolve().parents[2]
"""Folder of this project's apps, without libraries."""

_asked: ContextVar[dict[str, Any] | None] = ContextVar("waops_asked", default=None)
"""What this request has read from the cache; None outside of requests."""


def kept(key: str, read: Callable[[], Value], seconds: float = SECONDS) -> Value:
    """The cached value, or the result of `read`, cached for that long. Within a request the cache is asked once."""
    value = known(key)
    if value is None:
        value = read()
        keep(key, value, seconds)
    return cast(Value, value)


def ask(*keys: str) -> None:
    """Fetch values that this request will need in one call instead of one each."""
    if (asked := _asked.get()) is not None and (new := [key for key in keys if key not in asked]):
        asked |= dict.fromkeys(new) | cache.get_many(new)


def kept_together(reads: Mapping[str, Callable[[], Any]]) -> None:
    """As `kept` does for each key, with one call to the cache for all, and one more to store those it lacks."""
    asked = _asked.get()
    if asked is None:
        return
    ask(*reads)
    missing = {key: read() for key, read in reads.items() if asked[key] is None}
    if missing:
        asked |= missing
        cache.set_many(missing, SECONDS)


def known(key: str) -> Any:
    """The cached value, or None. Within a request the cache is asked once."""
    asked = _asked.get()
    if asked is None:
        return cache.get(key)
    if key not in asked:
        asked[key] = cache.get(key)
    return asked[key]


def keep(key: str, value: Any, seconds: float) -> None:
    cache.set(key, value, seconds)
    if (asked := _asked.get()) is not None:
        asked[key] = value


def forget(key: str) -> None:
    """Discard the cached value, so that the next use reads it again."""
    cache.delete(key)
    if asked := _asked.get():
        asked.pop(key, None)


def cache_key(key: str, prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION."""
    return f"waops:{_code()}:{_database()}:{prefix}:{version}:{key}"


@once
def _code() -> str:
    """Changes whenever an unpickled object might have another class than the pickled one."""
    digest = sha256(f"{django.__version__} {sys.version}".encode())
    for app in apps.get_app_configs():
        for path in sorted((settings.BASE_DIR / app.label).rglob("*.py")) if Path(app.path).parent == PROJECT else ():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _database() -> str:
    """Every Supabase project names its database `postgres`; the host or the user tells them apart."""
    config = connections.settings[DEFAULT_DB_ALIAS]
    options = config.get("OPTIONS", {})
    parts = [config.get(name) or options.get(name.lower()) for name in ("HOST", "PORT", "USER", "NAME")]
    home = "" if parts[0] else settings.BASE_DIR
    return sha256(f"{parts} {settings.APP_SCHEMA} {home}".encode()).hexdigest()[:12]


def _begin(**_: Any) -> None:
    _asked.set({})


def _end(**_: Any) -> None:
    _asked.set(None)


request_started.connect(_begin, dispatch_uid=f"{__name__}.begin")
# Not when a middleware ends: an export is read while it is streamed.
request_finished.connect(_end, dispatch_uid=f"{__name__}.end")
