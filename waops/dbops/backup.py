"""Back up what the plan touches, and prove the backup by restoring it."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import psycopg
from django.apps import apps
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from psycopg import conninfo, sql

from waops.database.live_schema import ForeignTable, table_exists
from waops.dbops.client_programs import ProgramMissing, client_program

TIMEOUT = 6 * 60 * 60
"""Seconds after which a dump or restore is aborted."""
CONNECTION_KEYS = ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey")
SCHEMAS = ("public", settings.APP_SCHEMA)

# The dumped tables refer to Supabase's, which the dump lacks. Their definitions need this before the rows.
STAND_INS = """
    CREATE SCHEMA extensions;
    CREATE SCHEMA auth;
    CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
    DROP SCHEMA public;
"""
UUID_STAND_IN = """
    CREATE FUNCTION extensions.uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT pg_catalog.gen_random_uuid()'
"""
# Trusted extensions: the only ones a database's owner may create.
EXTENSIONS = """
    SELECT installed.extname
    FROM pg_catalog.pg_extension AS installed
    JOIN pg_catalog.pg_available_extension_versions AS available
        ON available.name = installed.extname AND available.version = installed.extversion
    WHERE available.trusted AND installed.extname <> 'plpgsql'
"""
# Tables of `public` whose rows are not dumped, and foreign keys that refer to rows which are not.
OTHER_TABLES = """
    SELECT pg_catalog.format('%%I.%%I', namespace.nspname, relation.relname)
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE namespace.nspname = 'public' AND relation.relkind IN ('r', 'p') AND relation.relname <> ALL (%s)
"""
BROKEN_KEYS = """
    SELECT heap.relname || ' ' || key.conname
    FROM pg_catalog.pg_constraint AS key
    JOIN pg_catalog.pg_class AS heap ON heap.oid = key.conrelid
    JOIN pg_catalog.pg_class AS target ON target.oid = key.confrelid
    WHERE key.contype = 'f' AND NOT (
        target.relnamespace = pg_catalog.to_regnamespace('public') AND target.relname = ANY (%s)
        OR target.relnamespace = pg_catalog.to_regnamespace(%s)
    )
"""
# Row-level security and grants name roles and functions of the platform; triggers would change rows during the restore.
RESTORED_AFTER_ROWS = (" CONSTRAINT ", " FK CONSTRAINT ", " INDEX ")


CONTENT = """
    SELECT pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(content::text, 0)::numeric)
    FROM {} AS content
"""


class BackupError(Exception):
    """No backup was taken, or it did not restore. The message says why; the database is unchanged."""


def take_backup(
    connection: BaseDatabaseWrapper, file: Path, step: Callable[[str], None] = lambda doing: None
) -> dict[str, int]:
    """Dump into `file`, restore it into a scratch database, and compare. Returns the number of rows by
    table.

    The dump (pg_dump's custom format) contains the definitions of `public` and our schema, and the rows of the plan's
    tables and ours, all from one snapshot. It reads each row twice, with the weakest lock: to write it, and for a
    checksum that the restored table must match. Until then the file's name ends in `.unproven`. Only its owner can read
    it. The scratch database is on the same server and dropped at the end. `step` is called with each step. Needs
    CREATEDB, and a direct or session connection. Raises BackupError.
    """
    if file.exists():
        raise BackupError(_("%(file)s already exists and is not overwritten.") % {"file": file})
    dump = file.with_name(f"{file.name}.unproven")
    try:
        rows = _dump_and_prove(connection, dump, step)
    except BackupError as error:
        if dump.exists() and not dump.stat().st_size:
            dump.unlink()
        if dump.exists():
            left = _("The dump is in %(file)s, but restoring it was not proven.") % {"file": dump}
            raise BackupError(f"{error} {left}") from error
        raise
    dump.rename(file)
    return rows


def _dump_and_prove(connection: BaseDatabaseWrapper, file: Path, step: Callable[[str], None]) -> dict[str, int]:
    tables = plan_tables(connection.alias)
    dsn = _dsn(connection)
    try:
        pg_dump, pg_restore = (client_program(connection, name) for name in ("pg_dump", "pg_restore"))
        with psycopg.connect(dsn) as session:
            session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            (moment,) = session.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone() or ("",)
            others = [name for (name,) in session.execute(OTHER_TABLES, [tables])]
            broken = [name for (name,) in session.execute(BROKEN_KEYS, [tables, settings.APP_SCHEMA])]
            step(_("Dumping"))
            _make_private(file)
            options = [f"--schema={schema}" for schema in SCHEMAS] + [f"--exclude-table-data={name}" for name in others]
            _run(dsn, str(pg_dump), "--format=custom", f"--snapshot={moment}", f"--file={file}", *options)
            extensions = [name for (name,) in session.execute(EXTENSIONS)]
            step(_("Reading for the comparison"))
            expected = _contents(session, tables)
        step(_("Restoring into a scratch database"))
        with _scratch_database(dsn, extensions) as scratch:
            _restore(scratch, str(pg_restore), file, broken)
            step(_("Comparing"))
            with psycopg.connect(scratch) as session:
                found = _contents(session, tables)
    except (psycopg.Error, ProgramMissing) as error:
        raise BackupError(str(error).strip()) from error
    if differing := [table for table in tables if found[table] != expected[table]]:
        names = ", ".join(differing)
        raise BackupError(_("The restored tables differ from the dumped ones: %(tables)s.") % {"tables": names})
    return {table: rows for table, (rows, _checksum) in found.items()}


def _make_private(file: Path) -> None:
    """Create it empty, and its folder if missing, for their owner only, because it will contain messages and
    password hashes.

    pg_dump would create a file that everyone may read, and keeps the mode of an existing one. Raises BackupError.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.unlink(missing_ok=True)  # from an earlier attempt; it may have another mode, or be a link
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise BackupError(str(error)) from error


def plan_tables(using: str) -> list[str]:
    """The service's tables that exist and that the plan's indexes, functions and repairs touch."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, ForeignTable) and table_exists(model, using)
    )


def _dsn(connection: BaseDatabaseWrapper) -> str:
    params = connection.get_connection_params()
    return conninfo.make_conninfo("", **{key: params[key] for key in CONNECTION_KEYS if params.get(key)})


def _contents(session: psycopg.Connection, tables: list[str]) -> dict[str, tuple[int, Decimal | None]]:
    """Number of rows and a checksum of their text, by table."""
    # The format of times depends on the session, and a database may have its own setting.
    session.execute("SELECT pg_catalog.set_config('TimeZone', 'UTC', true)")
    contents = {}
    for table in tables:
        query = sql.SQL(CONTENT).format(sql.Identifier("public", table))
        contents[table] = session.execute(query).fetchone() or (0, None)
    return contents


@contextmanager
def _scratch_database(dsn: str, extensions: list[str]) -> Iterator[str]:
    """DSN of a new database with what the dump's definitions require; dropped at the end."""
    name = f"waops_backup_test_{os.getpid()}"
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            scratch = conninfo.make_conninfo(dsn, dbname=name)
            with psycopg.connect(scratch) as inside:
                inside.execute(STAND_INS)
                for extension in extensions:
                    create = sql.SQL("CREATE EXTENSION {} WITH SCHEMA extensions CASCADE")
                    inside.execute(create.format(sql.Identifier(extension)))
                if "uuid-ossp" not in extensions:
                    inside.execute(UUID_STAND_IN)
            yield scratch
        finally:
            session.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _restore(scratch: str, pg_restore: str, file: Path, broken_keys: list[str]) -> None:
    common = (pg_restore, "--exit-on-error", "--no-owner", "--no-privileges")
    for section in ("pre-data", "data"):
        _run(scratch, *common, f"--section={section}", str(file))
    contents = subprocess.run([pg_restore, "--list", str(file)], capture_output=True, text=True, check=True).stdout
    wanted = [
        line
        for line in contents.splitlines()
        if any(kind in line for kind in RESTORED_AFTER_ROWS) and not any(f" {key} " in line for key in broken_keys)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as chosen:
        chosen.write("\n".join(wanted))
        chosen.flush()
        _run(scratch, *common, "--section=post-data", f"--use-list={chosen.name}", str(file))


def _run(dsn: str, *command: str) -> None:
    """Run a client program on that database; the password is passed in the environment, which others cannot list."""
    parts = conninfo.conninfo_to_dict(dsn)
    password = parts.pop("password", None)
    target = conninfo.make_conninfo("", **parts)
    try:
        result = subprocess.run(
            [*command, f"--dbname={target}"],
            env={**os.environ, **({"PGPASSWORD": str(password)} if password else {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise BackupError(str(error)) from error
    if result.returncode:
        program = Path(command[0]).name
        raise BackupError(_("%(program)s failed: %(error)s") % {"program": program, "error": result.stderr.strip()})
