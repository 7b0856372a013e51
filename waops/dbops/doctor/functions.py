"""Check that our functions and triggers exist, are unchanged, and are closed to unauthorised callers."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.database.fetch import fetch
from waops.dbops.doctor.section import Section
from waops.dbops.figures import Column, Figures, Kind
from waops.dbops.findings import Finding, Severity
from waops.dbops.plan import MigrationKey, PlannedFunction, PlannedTrigger, migrations_done, plan
from waops.schema.routines import CLOSED_TO, FINGERPRINT, MARK, OPEN_TO

REINSTALL = "manage.py repair functions --apply"

# Before Postgres 16, to_regprocedure raises if the type of an argument, such as a table's row type, does not exist.
ROUTINES = f"""
    SELECT pg_catalog.format('%%I.%%I', namespace.nspname, routine.proname),
           CASE
               WHEN EXISTS (
                   SELECT FROM pg_catalog.regexp_split_to_table(
                       pg_catalog.substring(wanted.identity, '\\((.*)\\)'), ',\\s*'
                   ) AS argument (type)
                   WHERE argument.type <> '' AND pg_catalog.to_regtype(argument.type) IS NULL
               )
               THEN false
               ELSE routine.oid = pg_catalog.to_regprocedure(wanted.identity)
           END,
           pg_catalog.format(
               '%%I.%%I(%%s)', namespace.nspname, routine.proname,
               pg_catalog.pg_get_function_identity_arguments(routine.oid)
           ),
           pg_catalog.pg_get_userbyid(routine.proowner),
           pg_catalog.array_to_string(routine.proconfig, '; '),
           pg_catalog.obj_description(routine.oid, 'pg_proc'),
           '{MARK}' || {FINGERPRINT}, routine.prosrc,
           ARRAY(
               SELECT COALESCE(role.rolname, 'PUBLIC')::text
               FROM pg_catalog.aclexplode(
                   COALESCE(routine.proacl, pg_catalog.acldefault('f', routine.proowner))
               ) AS item
               LEFT JOIN pg_catalog.pg_roles AS role ON role.oid = item.grantee
               ORDER BY 1
           )
    FROM ROWS FROM (
        pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])
    ) AS wanted (identity, schema, name)
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.nspname = wanted.schema
    JOIN pg_catalog.pg_proc AS routine
        ON routine.pronamespace = namespace.oid AND routine.proname = wanted.name
"""  # noqa: S608

TRIGGERS = """
    SELECT wanted.name, wanted.relation, trigger.tgenabled::text,
           pg_catalog.format('%%I.%%I', namespace.nspname, routine.proname)
    FROM ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS wanted (name, relation)
    JOIN pg_catalog.pg_trigger AS trigger
        ON trigger.tgname = wanted.name AND trigger.tgrelid = pg_catalog.to_regclass(wanted.relation)
    JOIN pg_catalog.pg_proc AS routine ON routine.oid = trigger.tgfoid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = routine.pronamespace
"""
DISABLED = ("D", "R")
"""Disabled, or fires only on a replica."""
ALWAYS = "A"

ROLE_EXISTS = "SELECT pg_catalog.to_regrole(name) IS NOT NULL FROM pg_catalog.unnest(%s::text[]) AS name"


@dataclass(frozen=True)
class Installed:
    """A function with one of our names. `mark` is its comment, if the function is unchanged since it was installed."""

    name: str
    is_wanted: bool
    signature: str
    owner: str
    settings: str
    comment: str | None
    mark: str
    body: str
    executable_by: list[str]


@dataclass(frozen=True)
class FunctionState:
    name: str
    state: str
    owner: str | None
    settings: str | None
    executable_by: str | None


COLUMNS = (
    Column("name", gettext_lazy("function"), Kind.NAME),
    Column("state", gettext_lazy("state")),
    Column("owner", gettext_lazy("owner"), Kind.NAME),
    Column("settings", gettext_lazy("settings"), Kind.NAME),
    Column("executable_by", gettext_lazy("executable by"), Kind.NAME),
)


def examine(connection: BaseDatabaseWrapper, done: frozenset[MigrationKey] | None = None) -> Section:
    """Check functions and triggers. `done`: finished migrations; those on record if not given."""
    section = Section()
    if done is None:
        done = migrations_done(connection)
    found = _installed(connection)
    service_exists = all(fetch(connection, bool, ROLE_EXISTS, [[OPEN_TO]]))
    rows = []
    for function in plan().functions:
        overloads = [routine for routine in found if routine.name == function.name]
        wanted = next((routine for routine in overloads if routine.is_wanted), None)
        is_applied = function.migration in done
        findings = list(_judge(function, wanted, overloads, is_applied=is_applied, service_exists=service_exists))
        section.findings += findings
        rows.append(
            FunctionState(
                name=function.name,
                state="; ".join(finding.what for finding in findings) or _("installed"),
                owner=wanted.owner if wanted else None,
                settings=wanted.settings if wanted else None,
                executable_by=", ".join(wanted.executable_by) if wanted else None,
            )
        )
    section.findings += _judge_triggers(
        connection, [trigger for trigger in plan().triggers if trigger.migration in done]
    )
    section.figures.append(Figures("functions", gettext_lazy("Functions"), COLUMNS, rows, folded=True))
    return section


def _installed(connection: BaseDatabaseWrapper) -> list[Installed]:
    functions = plan().functions
    names = [function.name.split(".") for function in functions]
    parameters = [
        [function.identity for function in functions],
        [name[0] for name in names],
        [name[1] for name in names],
    ]
    return fetch(connection, Installed, ROUTINES, parameters)


def _judge(
    function: PlannedFunction,
    wanted: Installed | None,
    overloads: list[Installed],
    *,
    is_applied: bool,
    service_exists: bool,
) -> Iterator[Finding]:
    if not is_applied:
        yield Finding(
            "function.missing",
            Severity.WARNING,
            function.name,
            _("not installed yet"),
            _("Its callers use the legacy path with several queries."),
            (f"manage.py migrate {function.migration[0]}",),
        )
        return
    if wanted is None:
        yield Finding(
            "function.missing",
            Severity.ERROR,
            function.name,
            _("missing, although its migration has run"),
            _("Every call fails or falls back to the legacy path."),
            (REINSTALL,),
        )
    elif wanted.comment != wanted.mark:
        yield Finding(
            "function.changed",
            Severity.ERROR,
            function.name,
            _("replaced since it was installed"),
            _("It may lack our corrections or contain changes this app does not know."),
            (REINSTALL,),
        )
    elif function.body is not None and wanted.body != function.body:
        yield Finding(
            "function.changed",
            Severity.ERROR,
            function.name,
            _("not this app's version: installed by an older or newer release"),
            _("It may lack our corrections or contain changes this app does not know."),
            (REINSTALL,),
        )
    if others := [routine for routine in overloads if routine is not wanted]:
        yield Finding(
            "function.overloaded",
            Severity.ERROR,
            function.name,
            _("another version with other arguments exists: %(others)s")
            % {"others": ", ".join(other.signature for other in others)},
            _("A call by argument names may be ambiguous and fail, or reach the old version."),
            tuple(f"DROP FUNCTION {other.signature};" for other in others),
        )
    if wanted is not None:
        yield from _judge_grants(function, wanted, service_exists=service_exists)


def _judge_grants(function: PlannedFunction, wanted: Installed, *, service_exists: bool) -> Iterator[Finding]:
    if strangers := sorted(set(CLOSED_TO).intersection(wanted.executable_by)):
        yield Finding(
            "function.open",
            Severity.ERROR,
            function.name,
            _("executable by %(roles)s") % {"roles": ", ".join(strangers)},
            _("Anyone with the project's public key can call it over REST."),
            tuple(f"REVOKE EXECUTE ON FUNCTION {wanted.signature} FROM {role};" for role in strangers),
        )
    if function.operation.grant and service_exists and OPEN_TO not in wanted.executable_by:
        yield Finding(
            "function.closed",
            Severity.ERROR,
            function.name,
            _("not executable by %(role)s") % {"role": OPEN_TO},
            _("The service's own calls over REST are refused."),
            (f"GRANT EXECUTE ON FUNCTION {wanted.signature} TO {OPEN_TO};",),
        )


def _judge_triggers(connection: BaseDatabaseWrapper, wanted: list[PlannedTrigger]) -> Iterator[Finding]:
    parameters = [[trigger.name for trigger in wanted], [trigger.table for trigger in wanted]]
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS, parameters)
        found = {(name, table): (state, calls) for name, table, state, calls in cursor.fetchall()}
    for trigger in wanted:
        state, calls = found.get((trigger.name, trigger.table), (None, ""))
        why = _("The counts or audit log it maintains are no longer updated.")
        if state is None:
            what = _("trigger %(name)s is missing") % {"name": trigger.name}
            yield Finding(
                "trigger.missing", Severity.ERROR, trigger.table, what, why, (*trigger.create, *_recount(trigger))
            )
        elif calls != trigger.calls:
            what = _("trigger %(name)s calls %(function)s") % {"name": trigger.name, "function": calls}
            fixes = (f"DROP TRIGGER {trigger.name} ON {trigger.table};", *trigger.create, *_recount(trigger))
            yield Finding("trigger.changed", Severity.ERROR, trigger.table, what, why, fixes)
        elif state in DISABLED:
            what = _("trigger %(name)s is disabled") % {"name": trigger.name}
            fixes = (trigger.enable, *_recount(trigger))
            yield Finding("trigger.disabled", Severity.ERROR, trigger.table, what, why, fixes)
        elif trigger.always and state != ALWAYS:
            what = _("trigger %(name)s does not fire while session_replication_role is replica") % {
                "name": trigger.name
            }
            yield Finding("trigger.disabled", Severity.ERROR, trigger.table, what, why, (trigger.enable,))


def _recount(trigger: PlannedTrigger) -> tuple[str, ...]:
    """What makes up for the time in which the trigger did not run."""
    return ("manage.py repair message_counts --apply",) if "message_count" in trigger.operation.file.name else ()
