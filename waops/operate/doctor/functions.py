"""Are our functions and triggers there, unchanged, and closed to those who may not call them?"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from waops.operate.doctor.section import Section
from waops.operate.figures import Column, Figures, Kind
from waops.operate.findings import Finding, Severity
from waops.operate.plan import PlannedFunction, PlannedTrigger, applied, plan
from waops.operate.reading import fetch
from waops.operations.routines import CLOSED_TO, FINGERPRINT, MARK, OPEN_TO

REINSTALL = "manage.py repair_functions --apply"

ROUTINES = f"""
    SELECT pg_catalog.format('%%I.%%I', namespace.nspname, routine.proname),
           routine.oid = pg_catalog.to_regprocedure(wanted.identity),
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
    SELECT wanted.name, wanted.relation, trigger.tgenabled
    FROM ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS wanted (name, relation)
    JOIN pg_catalog.pg_trigger AS trigger
        ON trigger.tgname = wanted.name AND trigger.tgrelid = pg_catalog.to_regclass(wanted.relation)
"""

ROLE_EXISTS = "SELECT pg_catalog.to_regrole(name) IS NOT NULL FROM pg_catalog.unnest(%s::text[]) AS name"


@dataclass(frozen=True)
class Installed:
    """A function with one of our names. `mark` is its comment, if nobody has changed it since it was installed."""

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


def examine(connection: BaseDatabaseWrapper) -> Section:
    section = Section()
    done = applied(connection)
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
                state="; ".join(finding.what for finding in findings) or _("in place"),
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
            _("Its callers use the old path of several queries."),
            (f"manage.py migrate {function.migration[0]}",),
        )
        return
    if wanted is None:
        yield Finding(
            "function.missing",
            Severity.ERROR,
            function.name,
            _("gone, although its migration has run"),
            _("Every call of it fails, or falls back to the old path."),
            (REINSTALL,),
        )
    elif wanted.comment != wanted.mark:
        yield Finding(
            "function.changed",
            Severity.ERROR,
            function.name,
            _("replaced by somebody since it was installed"),
            _("It may have lost what was corrected in it, or gained what this app does not know."),
            (REINSTALL,),
        )
    elif function.body is not None and wanted.body != function.body:
        yield Finding(
            "function.changed",
            Severity.ERROR,
            function.name,
            _("another version than this app's: installed by an older or newer release"),
            _("It may have lost what was corrected in it, or gained what this app does not know."),
            (REINSTALL,),
        )
    if others := [routine for routine in overloads if routine is not wanted]:
        yield Finding(
            "function.overloaded",
            Severity.ERROR,
            function.name,
            _("exists in another form too: %(others)s") % {"others": ", ".join(other.signature for other in others)},
            _("A call by argument names may be ambiguous and fail, or reach the old one."),
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
            _("Anybody with the project's public key can call it over REST."),
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
        enabled = {(name, table): state for name, table, state in cursor.fetchall()}
    for trigger in wanted:
        state = enabled.get((trigger.name, trigger.table))
        why = _("What it keeps, counts or a history that only grows, is no longer kept.")
        if state is None:
            what = _("trigger %(name)s is gone") % {"name": trigger.name}
            yield Finding(
                "trigger.missing", Severity.ERROR, trigger.table, what, why, (trigger.sql, *_recount(trigger))
            )
        elif state in ("D", b"D"):
            what = _("trigger %(name)s is disabled") % {"name": trigger.name}
            fix = f"ALTER TABLE {trigger.table} ENABLE TRIGGER {trigger.name};"
            yield Finding("trigger.disabled", Severity.ERROR, trigger.table, what, why, (fix, *_recount(trigger)))


def _recount(trigger: PlannedTrigger) -> tuple[str, ...]:
    """What makes up for the time in which the trigger did nothing."""
    return ("manage.py repair_message_counts --apply",) if "message_count" in trigger.migration[1] else ()
