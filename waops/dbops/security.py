"""Check what others can do: what Supabase's linter leaves out, and that linter too if a copy is given."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.fetch import fetch, fetch_value
from waops.dbops.extensions import HAS_SCHEMA
from waops.dbops.findings import Finding, Severity
from waops.dbops.plan import plan
from waops.dbops.reading import STATEMENT_SECONDS
from waops.schema.timeouts import milliseconds

EXPOSED = "public"
"""The schema that Supabase exposes over REST."""
STRANGERS = ("PUBLIC", "anon", "authenticated")

# Functions of extensions are set by the extensions.
FUNCTIONS = """
    SELECT pg_catalog.format('%%I.%%I', namespace.nspname, routine.proname),
           pg_catalog.format(
               '%%I.%%I(%%s)', namespace.nspname, routine.proname,
               pg_catalog.pg_get_function_identity_arguments(routine.oid)
           ),
           routine.prosecdef, routine.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype,
           EXISTS (
               SELECT FROM pg_catalog.unnest(routine.proconfig) AS setting WHERE setting LIKE 'search\\_path=%%'
           ),
           ARRAY(
               SELECT COALESCE(role.rolname, 'PUBLIC')::text
               FROM pg_catalog.aclexplode(
                   COALESCE(routine.proacl, pg_catalog.acldefault('f', routine.proowner))
               ) AS item
               LEFT JOIN pg_catalog.pg_roles AS role ON role.oid = item.grantee
               WHERE item.privilege_type = 'EXECUTE' ORDER BY 1
           )
    FROM pg_catalog.pg_proc AS routine
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = routine.pronamespace
    WHERE namespace.nspname = ANY (%s) AND routine.prokind IN ('f', 'p') AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS dependency
        WHERE dependency.objid = routine.oid AND dependency.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
          AND dependency.deptype = 'e'
    )
    ORDER BY 2
"""
DEFAULTS = """
    SELECT pg_catalog.pg_get_userbyid(entry.defaclrole)::text, namespace.nspname::text, entry.defaclobjtype::text,
           pg_catalog.array_agg(DISTINCT role.rolname::text)
    FROM pg_catalog.pg_default_acl AS entry
    LEFT JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = entry.defaclnamespace
    CROSS JOIN LATERAL pg_catalog.aclexplode(entry.defaclacl) AS item
    JOIN pg_catalog.pg_roles AS role ON role.oid = item.grantee
    WHERE role.rolname IN ('anon', 'authenticated') AND (namespace.nspname IS NULL OR namespace.nspname = 'public')
    GROUP BY 1, 2, 3 ORDER BY 1, 2 NULLS FIRST, 3
"""
TABLES = """
    SELECT namespace.nspname::text, relation.relname::text,
           ARRAY(
               SELECT DISTINCT COALESCE(role.rolname, 'PUBLIC')::text
               FROM pg_catalog.aclexplode(relation.relacl) AS item
               LEFT JOIN pg_catalog.pg_roles AS role ON role.oid = item.grantee
               WHERE role.rolname IS NULL OR role.rolname IN ('anon', 'authenticated')
               ORDER BY 1
           )
    FROM pg_catalog.pg_class AS relation
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE relation.relkind IN ('r', 'p', 'v', 'm')
      AND (namespace.nspname = %s OR namespace.nspname = 'public' AND relation.relname = ANY (%s))
    ORDER BY 1, 2
"""
OBJECTS = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS", "L": "LARGE OBJECTS"}


class LinterFailed(Exception):  # noqa: N818
    """The operator's copy of Supabase's linter did not run, or is another file."""


@dataclass(frozen=True)
class RoutineRights:
    name: str
    signature: str
    is_definer: bool
    is_trigger: bool
    has_search_path: bool
    executable_by: list[str]

    @property
    def strangers(self) -> list[str]:
        return [role for role in STRANGERS if role in self.executable_by]


def lint_security(connection: BaseDatabaseWrapper) -> list[Finding]:
    """Our own checks; reads only the catalog."""
    return [*_functions(connection), *_default_privileges(connection), *_tables(connection)]


def _functions(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    ours = {function.name: function for function in plan().functions}
    # What Supabase gives its callers, with built-in names first and temporary ones last.
    has_extensions = fetch_value(connection, HAS_SCHEMA)
    path = "pg_catalog, public, extensions, pg_temp" if has_extensions else "pg_catalog, public, pg_temp"
    for routine in fetch(connection, RoutineRights, FUNCTIONS, [[EXPOSED, settings.APP_SCHEMA]]):
        is_ours = routine.name in ours
        # A trigger function cannot be called, over REST or otherwise.
        if routine.strangers and not routine.is_trigger:
            yield _open_function(routine, is_ours=is_ours)
        # Of ours, a function that the server should inline into its callers' statements has no setting and needs none.
        expected = not is_ours or "SET search_path" in ours[routine.name].operation.sql
        if not routine.has_search_path and expected:
            what = _("uses the caller's search path")
            why = _("A caller can create objects with the same names and have them used instead.")
            fix = f"ALTER ROUTINE {routine.signature} SET search_path = {path};"
            if is_ours:
                fix = "manage.py repair functions --apply"
            severity = Severity.ERROR if is_ours or routine.is_definer else Severity.NOTE
            yield Finding("security.search_path", severity, routine.signature, what, why, (fix,))


def _open_function(routine: RoutineRights, *, is_ours: bool) -> Finding:
    """A foreign function that runs with its caller's rights can do no more than the caller: a note."""
    roles = ", ".join(routine.strangers)
    if routine.is_definer:
        what = _("runs with its owner's rights and is executable by %(roles)s") % {"roles": roles}
    else:
        what = _("executable by %(roles)s") % {"roles": roles}
    code, severity = "security.callable", Severity.NOTE
    if is_ours:
        code, severity = "security.function_open", Severity.ERROR
    elif routine.is_definer:
        code, severity = "security.definer_open", Severity.WARNING
    return Finding(
        code,
        severity,
        routine.signature,
        what,
        _("Anyone with the project's public key can call it over REST."),
        (f"REVOKE EXECUTE ON ROUTINE {routine.signature} FROM {', '.join(routine.strangers)};",),
    )


def _default_privileges(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    for owner, schema, kind, roles in fetch(connection, lambda *row: row, DEFAULTS):
        objects = OBJECTS[kind]
        place = f" IN SCHEMA {schema}" if schema else ""
        name = connection.ops.quote_name(owner)
        yield Finding(
            "security.default_privileges",
            Severity.NOTE,
            f"{owner}{place} {objects}",
            _("objects created by %(owner)s are open to %(roles)s by default")
            % {"owner": owner, "roles": ", ".join(roles)},
            _("New functions and tables are immediately reachable over REST."),
            (f"ALTER DEFAULT PRIVILEGES FOR ROLE {name}{place} REVOKE ALL ON {objects} FROM {', '.join(roles)};",),
        )


def _tables(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    ours = [model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    for schema, table, strangers in fetch(connection, lambda *row: row, TABLES, [settings.APP_SCHEMA, ours]):
        name = f'{schema}."{table}"'
        if schema == EXPOSED:
            what = _("a table of this app is in schema public")
            why = _("Supabase exposes that schema over REST.")
            fix = (f"ALTER TABLE {name} SET SCHEMA {settings.APP_SCHEMA};",)
            yield Finding("security.exposed_table", Severity.ERROR, f"{schema}.{table}", what, why, fix)
        elif strangers:
            what = _("open to %(roles)s") % {"roles": ", ".join(strangers)}
            why = _("It holds this app's accounts, sessions and history.")
            fixes = tuple(f"REVOKE ALL ON {name} FROM {role};" for role in strangers)
            yield Finding("security.open_table", Severity.ERROR, f"{schema}.{table}", what, why, fixes)


def run_linter(connection: BaseDatabaseWrapper, file: Path, seconds: float = 10 * STATEMENT_SECONDS) -> list[Finding]:
    """Run Supabase's linter (one SQL file, "splinter"), read-only and limited in time; returns its rows as findings.

    Raises LinterFailed.
    """
    try:
        sql = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LinterFailed(str(error)) from error
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for name, value in (("statement_timeout", milliseconds(seconds)), ("transaction_read_only", "on")):
            cursor.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])
        cursor.execute(sql)
        # The file sets a search path first; the linter's rows come from the last statement.
        while cursor.nextset():
            pass
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()] if names else []
        transaction.set_rollback(True, using=connection.alias)
    if not {"name", "level", "detail"} <= set(names):
        raise LinterFailed(_("The output of %(file)s is not that of Supabase's linter.") % {"file": file})
    return [_supabase_finding(row) for row in rows]


def _supabase_finding(row: dict[str, str]) -> Finding:
    severity = {"ERROR": Severity.ERROR, "WARN": Severity.WARNING}.get(row["level"], Severity.NOTE)
    why = row.get("description") or row.get("title") or ""
    what = row["detail"].replace("\\`", "“", 1).replace("\\`", "”", 1)
    return Finding(f"supabase.{row['name']}", severity, row.get("cache_key") or row["name"], what, why)
