"""Database engine `waops.dev.engine`: ours, on the embedded server, which starts at the first connection, so
that every command works without setup.
"""

from typing import Any

from django.conf import settings

from waops.database.engine import base
from waops.dev.embedded import project_server


class DatabaseWrapper(base.DatabaseWrapper):
    programs = project_server(settings.BASE_DIR).binaries

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        if not params.get("host"):
            server = project_server(settings.BASE_DIR)
            server.start()
            params["host"] = str(server.socket_dir)
        return params
