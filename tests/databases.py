"""Databases for tests: cloned in some tens of milliseconds from templates, which tests.image makes and keeps.

Names of templates: `empty`, `before` and `after` (the baseline's variants, owned by role postgres), `migrated` (before
the plan, then our migrations).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from waops.dev.baseline import loader
from waops.dev.embedded.server import OWNER, SUPERUSER, EmbeddedServer


class Databases:
    """Makes and drops databases on one test server."""

    numbers = count(1)
    """Of all servers: a copy of one has its databases too, whose names are taken."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server

    @property
    def version(self) -> int:
        return int((self.server.data_dir / "PG_VERSION").read_text())

    def execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.server.dsn(SUPERUSER, "template1"), autocommit=True) as connection:
            connection.execute(statement)

    def create(self, template: str, name: str | None = None) -> str:
        """Name of a new database cloned from that template, which a server of a benchmark does not have yet."""
        source = "template1" if template == "empty" else f"template_{template}"
        name = name or f"{template}_{next(self.numbers)}"
        # Copied block by block through the log, as by default since Postgres 15, a database takes twice the time.
        strategy = sql.SQL("" if self.version < 15 else "STRATEGY file_copy")
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} {}").format(
            sql.Identifier(name), sql.Identifier(source), sql.Identifier(OWNER), strategy
        )
        try:
            self.execute(statement)
        except psycopg.errors.InvalidCatalogName:
            self.make_template(template)
            self.execute(statement)
        return name

    def drop(self, name: str) -> None:
        self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def clone(self, template: str) -> Iterator[str]:
        """Name of a database that lives as long as the block."""
        name = self.create(template)
        try:
            yield name
        finally:
            self.drop(name)

    def make_template(self, template: str) -> None:
        name = f"template_{template}"
        if template == "migrated":
            self.create("before", name)
            with django_uses(self.server, name):
                call_command("migrate", verbosity=0)
        else:
            self.create("empty", name)
            with psycopg.connect(self.server.dsn(SUPERUSER, name)) as connection:
                loader.load(connection, template)


@contextmanager
def django_uses(server: EmbeddedServer, name: str) -> Iterator[None]:
    """Django's default connection, in every thread, is to that database as the tables' owner."""
    connection = connections["default"]
    config = connection.settings_dict
    old = config["HOST"], config["NAME"]
    connection.close()
    config["HOST"], config["NAME"] = str(server.socket_dir), name
    try:
        yield
    finally:
        connection.close()
        config["HOST"], config["NAME"] = old
