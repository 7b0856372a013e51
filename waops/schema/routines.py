"""Read, drop and restore database functions."""

import json
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Self

from django.db.backends.base.base import BaseDatabaseWrapper

from waops.database.fetch import execute, fetch_one
from waops.schema.timeouts import server_settings

CLOSED_TO = ("PUBLIC", "anon", "authenticated")
"""Roles that must not execute our functions; the last two are Supabase's roles for anonymous and logged-in
REST callers.
"""
OPEN_TO = "service_role"
"""Supabase's role for the service's own REST calls."""

# Printed with only pg_catalog on the search path, so that every name in it is qualified.
FIND_ROUTINES = """
    SELECT routine.oid::pg_catalog.regprocedure::text,
           pg_catalog.pg_get_functiondef(routine.oid),
           pg_catalog.pg_get_userbyid(routine.proowner),
           pg_catalog.obj_description(routine.oid, 'pg_proc'),
           (
               SELECT pg_catalog.jsonb_agg(
                   pg_catalog.jsonb_build_array(
                       CASE WHEN item.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(item.grantee) END,
                       pg_catalog.pg_get_userbyid(item.grantor),
                       item.is_grantable
                   ) ORDER BY item.number
               )::text
               FROM pg_catalog.aclexplode(routine.proacl) WITH ORDINALITY
                   AS item (grantor, grantee, privilege_type, is_grantable, number)
           ),
           routine.proacl IS NULL
    FROM pg_catalog.pg_proc AS routine
    WHERE routine.pronamespace = pg_catalog.to_regnamespace(%s) AND routine.proname = %s
      AND routine.prokind IN ('f', 'p')
    ORDER BY 1
"""

# Not taken from pg_get_functiondef, whose text can change with the server's version and the search path.
FINGERPRINT = """
    pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array(
        ARRAY(
            SELECT pg_catalog.concat_ws('.', type_namespace.nspname, type.typname)
            FROM pg_catalog.unnest(
                routine.prorettype || COALESCE(routine.proallargtypes, routine.proargtypes::oid[])
            ) WITH ORDINALITY AS used (oid, number)
            JOIN pg_catalog.pg_type AS type ON type.oid = used.oid
            JOIN pg_catalog.pg_namespace AS type_namespace ON type_namespace.oid = type.typnamespace
            ORDER BY used.number
        ),
        routine.proretset, routine.proargmodes, routine.proargnames, pg_catalog.pg_get_expr(routine.proargdefaults, 0),
        (SELECT lanname FROM pg_catalog.pg_language WHERE oid = routine.prolang),
        routine.provolatile, routine.proparallel, routine.proisstrict, routine.prosecdef, routine.proconfig,
        routine.prosrc
    )::text, 'UTF8')), 'hex')
"""
"""SQL: the sha256 of everything that determines a function's behaviour; `routine` is its row of pg_proc."""
MARK = "waops:"
"""Our functions have this and their fingerprint as comment; if the fingerprint differs, the function was changed."""

FIND_MARKED = f"""
    SELECT routine.oid::pg_catalog.regprocedure::text, routine.prosrc,
           pg_catalog.obj_description(routine.oid, 'pg_proc') IS NOT DISTINCT FROM '{MARK}' || {FINGERPRINT}
    FROM pg_catalog.pg_proc AS routine
    WHERE routine.pronamespace = pg_catalog.to_regnamespace(%s) AND routine.proname = %s
      AND routine.prokind IN ('f', 'p')
"""  # noqa: S608


@dataclass(frozen=True)
class Grant:
    grantee: str
    grantor: str
    grantable: bool


@dataclass(frozen=True)
class Routine:
    """A complete function or procedure. `grants` are in the catalog's order; None if the built-in default applies."""

    signature: str
    definition: str
    owner: str
    comment: str | None
    grants: list[Grant] | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        grants = value["grants"]
        return cls(**{**value, "grants": None if grants is None else [Grant(**grant) for grant in grants]})


def find_routines(connection: BaseDatabaseWrapper, schema: str, name: str) -> list[Routine]:
    """All overloads of that name. The search path must be `pg_catalog`."""
    with connection.cursor() as cursor:
        cursor.execute(FIND_ROUTINES, [schema, name])
        return [
            Routine(
                signature,
                definition,
                owner,
                comment,
                None if is_default else [Grant(*grant) for grant in json.loads(grants or "[]")],
            )
            for signature, definition, owner, comment, grants, is_default in cursor.fetchall()
        ]


def find_ours(connection: BaseDatabaseWrapper, schema: str, name: str, bodies: Collection[str]) -> set[str]:
    """Signatures of the overloads this app installed: they carry its mark, or have one of these bodies.

    A copy restored without our schema has them, and nothing else identifies them.
    """
    with connection.cursor() as cursor:
        cursor.execute(FIND_MARKED, [schema, name])
        return {signature for signature, body, marked in cursor.fetchall() if marked or body in bodies}


def drop(connection: BaseDatabaseWrapper, signature: str) -> None:
    execute(connection, f"DROP ROUTINE {signature}")


def mark(connection: BaseDatabaseWrapper, signature: str) -> None:
    """Write the function's fingerprint into its comment."""
    (comment,) = fetch_one(
        connection,
        f"SELECT '{MARK}' || {FINGERPRINT} FROM pg_catalog.pg_proc AS routine"  # noqa: S608
        " WHERE routine.oid = pg_catalog.to_regprocedure(%s)",
        signature,
    )
    _comment(connection, signature, comment)


def set_grants(connection: BaseDatabaseWrapper, signature: str, replaced: list[Routine], *, service: bool) -> None:
    """Deny the function to everyone who comes over REST without the service's key.

    If asked, allow the service, and the deployment's own roles that could execute the replaced function.
    """
    kept = {grant.grantee for routine in replaced for grant in routine.grants or []}.difference(CLOSED_TO)
    for role in _existing(connection, kept | {OPEN_TO} if service else kept):
        execute(connection, f"GRANT EXECUTE ON ROUTINE {signature} TO {_quoted(connection, role)}")
    for role in ("PUBLIC", *_existing(connection, set(CLOSED_TO))):
        execute(connection, f"REVOKE EXECUTE ON ROUTINE {signature} FROM {_quoted(connection, role)}")


def restore(connection: BaseDatabaseWrapper, schema: str, name: str, routine: Routine) -> None:
    """Restore the function as it was: definition, owner, comment, and grants in their order."""
    execute(connection, routine.definition)
    _comment(connection, routine.signature, routine.comment)
    (owner,) = fetch_one(
        connection,
        "SELECT pg_catalog.pg_get_userbyid(proowner) FROM pg_catalog.pg_proc"
        " WHERE oid = pg_catalog.to_regprocedure(%s)",
        routine.signature,
    )
    if owner != routine.owner:
        execute(connection, f"ALTER ROUTINE {routine.signature} OWNER TO {_quoted(connection, routine.owner)}")
    _restore_grants(connection, schema, name, routine)


def _comment(connection: BaseDatabaseWrapper, signature: str, comment: str | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON ROUTINE {signature} IS %s", [comment])


def _restore_grants(connection: BaseDatabaseWrapper, schema: str, name: str, routine: Routine) -> None:
    """Default privileges have granted rights on the new function; revoke all, then grant in order."""
    (current,) = [found for found in find_routines(connection, schema, name) if found.signature == routine.signature]
    if current.grants == routine.grants:
        return
    on = f"EXECUTE ON ROUTINE {routine.signature}"
    default = [Grant("PUBLIC", routine.owner, False), Grant(routine.owner, routine.owner, False)]
    for grant in current.grants or default:
        execute(connection, f"REVOKE {on} FROM {_quoted(connection, grant.grantee)} CASCADE")
    for grant in default if routine.grants is None else routine.grants:
        option = " WITH GRANT OPTION" if grant.grantable else ""
        # The owner's grants can be made by any role that can act as the owner, another role's only by that role.
        as_grantor = nullcontext() if grant.grantor == routine.owner else _acting_as(connection, grant.grantor)
        with as_grantor:
            execute(connection, f"GRANT {on} TO {_quoted(connection, grant.grantee)}{option}")


def _acting_as(connection: BaseDatabaseWrapper, role: str) -> AbstractContextManager[None]:
    return server_settings(connection, local=True, role=role)


def _existing(connection: BaseDatabaseWrapper, roles: set[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY (%s) ORDER BY 1", [list(roles)])
        return [role for (role,) in cursor.fetchall()]


def _quoted(connection: BaseDatabaseWrapper, role: str) -> str:
    return "PUBLIC" if role == "PUBLIC" else connection.ops.quote_name(role)
