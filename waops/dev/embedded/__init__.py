"""The embedded Postgres: used when no DATABASE_URL is set, and by the tests."""

from waops.dev.embedded.server import EmbeddedServer, EmbeddedServerError, project_server

__all__ = ["EmbeddedServer", "EmbeddedServerError", "project_server"]
