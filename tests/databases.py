"""Databases for tests: made once as templates, then cloned in some tens of milliseconds.

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

from waops.baseline import loader
from waops.embedded.server import OWNER, SUPERUSER, EmbeddedServer


class Databases:
    """Makes and drops databases on one test server."""

    def __init__(self, server: EmbeddedServer, made: "Databases | None" = None) -> None:
        """`made`: those of the server that this one is a copy of, with the templates that it had by then."""
        self.server = server
        # The copy has the databases of its moment too, whose names are taken.
        self._numbers = made._numbers if made else count(1)
        self._templates = dict(made._templates) if made else {"empty": "template1"}

    def execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.server.dsn(SUPERUSER, "template1"), autocommit=True) as connection:
            connection.execute(statement)

    def create(self, template: str, name: str | None = None) -> str:
        """Name of a new database cloned from that template."""
        source = self._templates.get(template) or self._make_template(template)
        name = name or f"{template}_{next(self._numbers)}"
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(source), sql.Identifier(OWNER)
            )
        )
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

    def _make_template(self, template: str) -> str:
        name = f"template_{template}"
        if template == "migrated":
            self.create("before", name)
            with django_uses(self.server, name):
                call_command("migrate", verbosity=0)
        else:
            self.create("empty", name)
            with psycopg.connect(self.server.dsn(SUPERUSER, name)) as connection:
                loader.load(connection, template)
        self._templates[template] = name
        return name


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
