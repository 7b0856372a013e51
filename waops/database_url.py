"""From DATABASE_URL and the kind of connection to Django's database settings."""

from typing import Any

import environ

POOL_MODES = ("direct", "session", "transaction")
ENGINE = "waops.backend"


def database_settings(url: str, *, pool_mode: str, pool_size: int, search_path: tuple[str, ...]) -> dict[str, Any]:
    """Django's settings of one database.

    `url`: postgresql://…, or empty for the embedded server. `pool_mode`: what stands between us and the server:
    nothing (direct), or a pooler that gives a server connection for the session or for one transaction.
    `pool_size`: connections this process keeps open at most; 0 opens one per request.
    """
    if url:
        config: dict[str, Any] = environ.Env.db_url_config(url, engine=ENGINE)
    else:
        config = {"ENGINE": ENGINE, "NAME": "postgres", "USER": "postgres"}
    options: dict[str, Any] = config.setdefault("OPTIONS", {})
    options.setdefault("application_name", "waops")
    options.setdefault("connect_timeout", 10)
    config["DISABLE_SERVER_SIDE_CURSORS"] = pool_mode == "transaction"
    if pool_mode == "direct":
        # Poolers refuse start-up options; behind one the search path comes from the role (see `manage.py role_sql`).
        options["options"] = f"-c search_path={','.join(search_path)}"
    if pool_size:
        # A pool that goes on trying by itself tries less and less often: each request is to begin anew.
        options["pool"] = {"min_size": 0, "max_size": pool_size, "timeout": 5, "reconnect_timeout": 5}
        # One more round trip per request: a change must not fail because the server was restarted since the last one.
        config["CONN_HEALTH_CHECKS"] = True
    return config
