"""The cache that all processes share, in Redis. While Redis is away it seems empty, and pages go on working."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

REST_SECONDS = 5.0
"""How long Redis is left alone after a failure, so that one page does not wait for it again and again."""

Method = TypeVar("Method", bound=Callable[..., Any])


def _forgiving(empty: Any) -> Callable[[Method], Method]:
    """Decorate a method to answer as an empty cache while Redis is away: `empty`, or what that makes of the call."""

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
    """Redis, treated as empty while it does not answer: one line in the log, and another when it is back."""

    _resting_until = 0.0
    _is_away = False

    @property
    def is_resting(self) -> bool:
        return time.monotonic() < self._resting_until

    def rest(self, error: RedisError) -> None:
        """Leave Redis alone for a while."""
        if not SharedCache._is_away:
            logger.warning("The shared cache is away, and pages ask the database instead: %s", error)
        # Of the class: each thread has a cache object of its own.
        SharedCache._is_away = True
        SharedCache._resting_until = time.monotonic() + REST_SECONDS

    @_forgiving(_default)
    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        value = super().get(key, default, version)
        if SharedCache._is_away:
            SharedCache._is_away = False
            logger.info("The shared cache is back.")
        return value

    add = _forgiving(True)(RedisCache.add)
    set = _forgiving(None)(RedisCache.set)
    touch = _forgiving(False)(RedisCache.touch)
    delete = _forgiving(False)(RedisCache.delete)
    has_key = _forgiving(False)(RedisCache.has_key)
    incr = _forgiving(_not_found)(RedisCache.incr)
    get_many = _forgiving(lambda *args, **kwargs: {})(RedisCache.get_many)
    set_many = _forgiving(lambda *args, **kwargs: [])(RedisCache.set_many)
    delete_many = _forgiving(None)(RedisCache.delete_many)
    clear = _forgiving(False)(RedisCache.clear)
