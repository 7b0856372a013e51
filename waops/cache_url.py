"""From CACHE_URL to Django's settings of a cache."""

from typing import Any

import environ

SHARED = "waops.shared_cache.SharedCache"
TIMEOUT_SECONDS = 0.5
"""For a connection to Redis and for its answer. Asking the database instead takes less than waiting longer."""


def cache_settings(url: str) -> dict[str, Any]:
    """`url`: rediscache://… for Redis, which may then fail without anybody noticing but the log, or locmemcache://."""
    config: dict[str, Any] = environ.Env.cache_url_config(url)
    if config["BACKEND"] == environ.Env.CACHE_SCHEMES["rediscache"]:
        options = config.setdefault("OPTIONS", {})
        options.setdefault("socket_timeout", TIMEOUT_SECONDS)
        options.setdefault("socket_connect_timeout", TIMEOUT_SECONDS)
        config["BACKEND"] = SHARED
    return config
