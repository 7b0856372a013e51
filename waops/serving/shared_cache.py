"""The Redis cache that all processes share. While Redis is down it seems empty, and pages keep working.

A value that cannot be read counts as absent.
"""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

REST_SECONDS = 5.0
"""How long Redis is left alone after a failure, so that pages do not wait for it again and again."""

ABSENT = object()

Method = TypeVar("Method", bound=Callable[..., Any])


def _forgiving(empty: Any) -> Callable[[Method], Method]:
    """Decorate a method to behave like an empty cache while Redis is down: returns `empty`, or what it makes
    of the call.
    """

    def decorate(method: Method) -> Method:
        @wraps(method)
        def forgive(cache: "SharedCache", *args: Any, **kwargs: Any) -> Any:
            if not cache.is_resting:
                try:
                    return method(cache, *args, **kwargs)
                except RedisError as error:
                    cache.rest(error)
            return empty(*args, **kwargs) if callable(empty) else empty

        return cast(Method, forgive)

    return decorate


def _default(key: Any, default: Any = None, version: Any = None) -> Any:
    return default


def _not_found(key: Any, delta: int = 1, version: Any = None) -> Any:
    raise ValueError(f"Key {key!r} not found.")


class SharedCache(RedisCache):
    """Redis, treated as empty while it is down: one log line when it fails and one when it is back."""

    _resting_until = 0.0
    _is_away = False

    @property
    def is_resting(self) -> bool:
        return time.monotonic() < self._resting_until

    def rest(self, error: RedisError) -> None:
        """Leave Redis alone for a while."""
        if not SharedCache._is_away:
            logger.warning("The shared cache is down; pages ask the database instead: %s", error)
        # On the class, because each thread has its own cache object.
        SharedCache._is_away = True
        SharedCache._resting_until = time.monotonic() + REST_SECONDS

    @_forgiving(_default)
    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        try:
            value = super().get(key, default, version)
        except RedisError:
            raise
        # Unpickling raises whatever it meets.
        except Exception as error:
            logger.warning("Deleted the cached value %r, which cannot be read: %r", key, error)
            # So that `add` can store a new one too.
            self.delete(key, version)
            value = default
        if SharedCache._is_away:
            SharedCache._is_away = False
            logger.info("The shared cache is back.")
        return value

    @_forgiving(lambda *args, **kwargs: {})
    def get_many(self, keys: Any, version: Any = None) -> Any:
        keys = list(keys)
        try:
            return super().get_many(keys, version)
        except RedisError:
            raise
        except Exception:
            found = {key: self.get(key, ABSENT, version) for key in keys}
            return {key: value for key, value in found.items() if value is not ABSENT}

    add = _forgiving(True)(RedisCache.add)
    set = _forgiving(None)(RedisCache.set)
    touch = _forgiving(False)(RedisCache.touch)
    delete = _forgiving(False)(RedisCache.delete)
    has_key = _forgiving(False)(RedisCache.has_key)
    incr = _forgiving(_not_found)(RedisCache.incr)
    set_many = _forgiving(lambda *args, **kwargs: [])(RedisCache.set_many)
    delete_many = _forgiving(None)(RedisCache.delete_many)
    clear = _forgiving(False)(RedisCache.clear)
