"""Turn DATABASE_URL and the pool mode into Django's database settings."""

from typing import Any

import environ

POOL_MODES = ("direct", "session", "transaction")
ENGINE = "waops.database.engine"
EMBEDDED = "waops.dev.engine"


def database_settings(url: str, *, pool_mode: str, pool_size: int, search_path: tuple[str, ...]) -> dict[str, Any]:
    """Django's settings for one database.

    `url` is postgresql://…, or empty for the embedded server. `pool_mode` is what stands between us and the server:
    nothing (direct), or a pooler that assigns a server connection per session or per transaction. `pool_size` is the
    most connections this process keeps open; 0 opens one per request.
    """
    if url:
        config: dict[str, Any] = environ.Env.db_url_config(url, engine=ENGINE)
    else:
        config = {"ENGINE": EMBEDDED, "NAME": "postgres", "USER": "postgres"}
    options: dict[str, Any] = config.setdefault("OPTIONS", {})
    options.setdefault("application_name", "waops")
    options.setdefault("connect_timeout", 10)
    config["DISABLE_SERVER_SIDE_CURSORS"] = pool_mode == "transaction"
    if pool_mode == "direct":
        # Poolers reject start-up options; behind one, the role sets the search path (see `manage.py role_sql`).
        options["options"] = f"-c search_path={','.join(search_path)}"
    if pool_size:
        # A pool that keeps retrying backs off further and further, so each request must start a new attempt.
        options["pool"] = {"min_size": 0, "max_size": pool_size, "timeout": 5, "reconnect_timeout": 5}
        # One more round trip per request, so that a change does not fail because the server was restarted in the
        # meantime.
        config["CONN_HEALTH_CHECKS"] = True
    return config
