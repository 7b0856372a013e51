"""Demo data of several sizes, for pages and tables. The largest is made by the server from copies of a smaller one."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import psycopg
from django.core.management import call_command
from psycopg import sql

from waops.dbops.plan import plan
from waops.dev.benchmark.fill import vacuum
from waops.dev.benchmark.options import COPIED, PAGE_MESSAGES, TABLE_SIZES
from waops.dev.benchmark.progress import Step
from waops.dev.benchmark.scratch import Scratch
from waops.dev.demo import SIZES, load
from waops.dev.demo.catalog import inspect
from waops.dev.demo.indexes import built_afterwards
from waops.dev.demo.sizes import Size
from waops.dev.demo.tables import MESSAGES, TABLES, Table

BASES = {
    # Enough businesses and open escalations to fill a page, so that only the other data grows, not what a page shows.
    PAGE_MESSAGES: Size("few", 110, 1_300, PAGE_MESSAGES, 1.0, 120, 45),
    TABLE_SIZES[0]: SIZES["medium"],
    COPIED: Size("copied", 500, 100_000, COPIED, 0.42, 600, 10_000, indexes_last=True),
}
OPERATOR = "benchmark"
"""The account that opens pages; it may see them all."""

TEXT_COLUMNS = {"user_phone": "phone", "whatsapp_number": "phone", "phone_number": "phone", "instance_name": "name"}
"""Besides ids, columns that must differ in each copy; foreign keys and unique constraints also hold among copies."""
COPY_OF = {
    "uuid": "pg_catalog.md5(source.{column}::text || copy)::uuid",
    # Each digit after the country's and the operator's is changed.
    "phone": "pg_catalog.left(source.{column}, 4) || pg_catalog.translate(pg_catalog.substr(source.{column}, 5),"
    " '0123456789', pg_catalog.substr('01234567890123456789', copy + 1, 10))",
    "name": "source.{column} || 'c' || copy",
}
COLUMNS = """
    SELECT attname, pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
    WHERE attrelid = %s::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
END_OTHERS = """
    SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
"""
# The copied rows refer to copied rows, so nothing has to be looked up.
WHILE_COPYING = "SET session_replication_role = replica"
WHILE_INDEXING = "SET maintenance_work_mem = '1GB'"


class Datasets:
    """Migrated databases with demo data, by number of messages; each is created at most once."""

    def __init__(self, place: Scratch, step: Step) -> None:
        self._place = place
        self._step = step
        self._template: str | None = None
        self._made: dict[int, str] = {}

    def database(self, messages: int) -> str:
        """Name of the database with that many messages: one of BASES, or a multiple of COPIED."""
        if messages not in self._made:
            self._made[messages] = self._base(messages) if messages in BASES else self._copies(messages)
        return self._made[messages]

    def _base(self, messages: int) -> str:
        if self._template is None:
            self._step("Migrating")
            self._template = self._place.create()
            self._place.migrate(self._template)
        self._step(f"Demo data of {messages:,} messages")
        database = self._place.create(self._template)
        with psycopg.connect(self._place.dsn(database)) as connection:
            load(connection, BASES[messages], seed=messages)
        self._settle(database)
        return database

    def _copies(self, messages: int) -> str:
        source = self.database(COPIED)
        self._step(f"Copies, to {messages:,} messages")
        database = self._place.create(source)
        multiply(self._place, database, messages // COPIED, self._step)
        self._settle(database)
        return database

    def _settle(self, database: str) -> None:
        """Bring it into the state after some use: replies counted, prices set, statistics fresh."""
        from waops.access.people import User

        with self._place.django(database):
            User.objects.get_or_create(username=OPERATOR, is_staff=True, is_superuser=True)
            call_command("repair", "usage", "--apply", stdout=StringIO())
            call_command("demo", "quota", stdout=StringIO())
        with self._place.session(database) as connection:
            vacuum(connection)


def multiply(place: Scratch, database: str, times: int, step: Step) -> None:
    """Copy every row of the demo data until there are `times` as many. Neighbours in time stay neighbours on
    disk.

    One session copies the messages and another everything else, because a session keeps one processor busy.
    """
    with place.session(database) as superuser:
        catalog = inspect(superuser, ())
        superuser.execute(WHILE_INDEXING)
        tables = [table for table in TABLES if table in catalog.columns]
        with built_afterwards(superuser, catalog, lambda done, total: step(f"Index {done} of {total}")):
            step(f"{times - 1} copies of each row")
            # They also fire while copying. What they maintain is computed again afterwards.
            always = [trigger for trigger in plan().triggers if trigger.always]
            for trigger in always:
                superuser.execute(f"ALTER TABLE {trigger.table} DISABLE TRIGGER {trigger.name}")
            with ThreadPoolExecutor() as pool:
                others = [table for table in tables if table is not MESSAGES]
                copies = [pool.submit(_copy_all, place, database, part, times) for part in ([MESSAGES], others)]
                try:
                    for copy in copies:
                        copy.result()
                except BaseException:
                    # When interrupted, do not wait minutes for the copies.
                    superuser.execute(END_OTHERS)
                    raise
            for trigger in always:
                superuser.execute(trigger.enable)


def _copy_all(place: Scratch, database: str, tables: list[Table], times: int) -> None:
    with place.session(database) as superuser:
        superuser.execute(WHILE_COPYING)
        for table in tables:
            columns = superuser.execute(COLUMNS, [f"{table.schema}.{table.name}"]).fetchall()
            superuser.execute(_copy(table, columns), [times - 1])


def _copy(table: Table, columns: Iterable[tuple[str, str]]) -> sql.Composed:
    names, values = [], []
    for name, kind in columns:
        rule = COPY_OF.get("uuid" if kind == "uuid" else TEXT_COLUMNS.get(name, ""), "source.{column}")
        names.append(sql.Identifier(name))
        values.append(sql.SQL(rule).format(column=sql.Identifier(name)))
    target = sql.Identifier(table.schema, table.name)
    return sql.SQL(
        "INSERT INTO {target} ({names}) SELECT {values} FROM {target} AS source,"
        " pg_catalog.generate_series(1, %s) AS copy"
    ).format(target=target, names=sql.SQL(", ").join(names), values=sql.SQL(", ").join(values))
