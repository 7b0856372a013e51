"""Turn CACHE_URL into Django's cache settings."""

from typing import Any

import environ

SHARED = "waops.serving.shared_cache.SharedCache"
TIMEOUT_SECONDS = 0.5
"""For connecting to Redis and for its response. Beyond this, asking the database is faster than waiting."""


def cache_settings(url: str) -> dict[str, Any]:
    """Django's cache settings. `url` is rediscache://… for Redis, whose failure only the log will show, or
    locmemcache://.
    """
    config: dict[str, Any] = environ.Env.cache_url_config(url)
    config["KEY_FUNCTION"] = "waops.database.kept.cache_key"
    if config["BACKEND"] == environ.Env.CACHE_SCHEMES["rediscache"]:
        options = config.setdefault("OPTIONS", {})
        options.setdefault("socket_timeout", TIMEOUT_SECONDS)
        options.setdefault("socket_connect_timeout", TIMEOUT_SECONDS)
        config["BACKEND"] = SHARED
    return config
