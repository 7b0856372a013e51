"""Every fault that can be made in schema waops, from the catalog: new tables, columns and functions are covered.

Objects that the service's statements reach are damaged one at a time, all others together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import psycopg

STRANGER = "anon"
"""A role without any right in waops."""

REACHED = r"""
    -- By name: what the functions of schema public and the triggers of its tables mention, and what those mention.
    RECURSIVE called (id, text) AS (
        SELECT oid, pg_get_functiondef(oid)
        FROM pg_proc
        WHERE prokind IN ('f', 'p') AND (
            pronamespace = 'public'::regnamespace OR oid IN (
                SELECT tgfoid FROM pg_trigger
                WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
            )
        )
        UNION
        SELECT function.oid, pg_get_functiondef(function.oid)
        FROM called
        JOIN pg_proc AS function ON called.text ~ ('\m' || function.proname || '\M')
        WHERE function.pronamespace = to_regnamespace('waops') AND function.prokind IN ('f', 'p')
    )
"""
TABLE_IS_REACHED = r"""
    EXISTS (
        SELECT FROM called
        WHERE called.text ~ ('\m' || relname || '\M') OR called.text ~ ANY (
            -- A table is reached through a key of another one too.
            SELECT '\m' || referring.relname || '\M'
            FROM pg_constraint AS key
            JOIN pg_class AS referring ON referring.oid = key.conrelid
            WHERE key.contype = 'f' AND key.confrelid = relation.oid
        )
    )
"""
OWNER_IS_REACHED = TABLE_IS_REACHED.replace("|| relname", "|| owner.relname").replace("relation.", "owner.")
OBJECTS = f"""
    WITH {REACHED},
    object AS (
        SELECT 'SCHEMA' AS class, quote_ident(nspname) AS name, nspname::text AS short, nspowner AS owner,
               coalesce(nspacl, acldefault('n', nspowner)) AS acl, false AS is_part,
               true AS is_reached
        FROM pg_namespace WHERE nspname = 'waops'
        UNION ALL
        SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE'
               END,
               format('waops.%I', relname), relname::text, relowner,
               coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)),
               EXISTS (
                   SELECT FROM pg_depend
                   WHERE classid = 'pg_class'::regclass AND objid = relation.oid AND deptype IN ('a', 'i')
                     AND refclassid = 'pg_class'::regclass AND relkind = 'S'
               ),
               CASE relkind
                   WHEN 'S' THEN coalesce(
                       (
                           SELECT {OWNER_IS_REACHED}
                           FROM pg_depend
                           JOIN pg_class AS owner ON owner.oid = refobjid
                           WHERE classid = 'pg_class'::regclass AND objid = relation.oid AND deptype IN ('a', 'i')
                             AND refclassid = 'pg_class'::regclass
                       ),
                       true
                   )
                   ELSE {TABLE_IS_REACHED}
               END
        FROM pg_class AS relation
        WHERE relnamespace = to_regnamespace('waops') AND relkind IN ('r', 'p', 'v', 'm', 'S')
        UNION ALL
        SELECT 'FUNCTION', oid::regprocedure::text, proname::text, proowner,
               coalesce(proacl, acldefault('f', proowner)), false, oid IN (SELECT id FROM called)
        FROM pg_proc WHERE pronamespace = to_regnamespace('waops')
        UNION ALL
        SELECT 'TYPE', format('waops.%I', typname), typname::text, typowner,
               coalesce(typacl, acldefault('T', typowner)), false,
               EXISTS (SELECT FROM called WHERE called.text ~ ('\\m' || typname || '\\M'))
        FROM pg_type
        WHERE typnamespace = to_regnamespace('waops') AND (
            typtype IN ('e', 'd') OR typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')
        )
    )
    SELECT object.class, object.name, object.short, quote_ident(pg_get_userbyid(object.owner)),
           object.is_part, object.is_reached,
           ARRAY(
               SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
               FROM aclexplode(object.acl) ORDER BY 1
           ),
           ARRAY(
               SELECT privilege_type || ' ON %s FROM ' ||
                   CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
               FROM aclexplode(object.acl) WHERE grantee <> object.owner ORDER BY 1
           )
    FROM object ORDER BY object.class, object.name
"""
# Decided once for a table, not for each of its columns.
TABLES = f"""
    WITH {REACHED},
    relation AS MATERIALIZED (
        SELECT relation.oid, {TABLE_IS_REACHED} AS is_reached
        FROM pg_class AS relation
        WHERE relnamespace = to_regnamespace('waops') AND relkind IN ('r', 'p')
    )
"""
COLUMNS = f"""
    {TABLES}
    SELECT attrelid::regclass::text, quote_ident(attname), attname::text, relation.is_reached
    FROM pg_attribute
    JOIN relation ON relation.oid = attrelid
    WHERE attnum > 0 AND NOT attisdropped
    ORDER BY 1, attnum
"""
TRIGGERS = """
    SELECT tgrelid::regclass::text, quote_ident(tgname)
    FROM pg_trigger
    JOIN pg_class AS relation ON relation.oid = tgrelid
    JOIN pg_proc AS function ON function.oid = tgfoid
    WHERE relnamespace = 'public'::regnamespace AND pronamespace = to_regnamespace('waops')
    ORDER BY 1, 2
"""
CONSTRAINTS = f"""
    {TABLES}
    SELECT conrelid::regclass::text, quote_ident(conname), relation.is_reached
    FROM pg_constraint
    JOIN relation ON relation.oid = conrelid
    WHERE contype IN ('p', 'u')
    ORDER BY 1, 2
"""

RAISE = """
    CREATE OR REPLACE FUNCTION public.fault() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'a trigger of the owner raises'; END $$;
    CREATE TRIGGER fault {when} INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name} EXECUTE FUNCTION public.fault()
"""
SWALLOW = """
    CREATE OR REPLACE FUNCTION public.fault() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER fault BEFORE INSERT OR UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION public.fault()
"""
UNRAISE = "DROP FUNCTION IF EXISTS public.fault() CASCADE"
OF_TABLES = {
    "row security forced": (
        "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"
        " ALTER ROLE {owner} NOBYPASSRLS",
        "ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {name} DISABLE ROW LEVEL SECURITY;"
        " ALTER ROLE {owner} BYPASSRLS",
    ),
    "trigger that raises before": (RAISE.replace("{when}", "BEFORE"), UNRAISE),
    "trigger that raises after": (RAISE.replace("{when}", "AFTER"), UNRAISE),
    "trigger that swallows rows": (SWALLOW, UNRAISE),
    "NOT NULL column more": (
        "ALTER TABLE {name} ADD fault integer NOT NULL DEFAULT 0; ALTER TABLE {name} ALTER fault DROP DEFAULT",
        "ALTER TABLE {name} DROP fault",
    ),
    "CHECK that refuses": (
        "ALTER TABLE {name} ADD CONSTRAINT fault CHECK (false) NOT VALID",
        "ALTER TABLE {name} DROP CONSTRAINT fault",
    ),
}
LOCKS = {
    "SHARE": "LOCK TABLE {name} IN SHARE MODE",
    "ACCESS EXCLUSIVE": "LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE",
    "FOR UPDATE": "SELECT FROM {name} FOR UPDATE",
}
LOST = ("dropped", "column dropped", "constraint dropped", "trigger disabled", "trigger dropped")
"""Kinds of faults that have no `undo`: what was lost meanwhile is lost."""
KINDS = (
    *LOST,
    "renamed",
    "closed",
    "owner changed",
    "grant revoked",
    *OF_TABLES,
    "sequence exhausted",
    "column renamed",
)


@dataclass(frozen=True)
class Fault:
    """`sql` makes the fault, as a superuser; `undo` takes it back, where that can be done."""

    kind: str
    name: str
    sql: str
    undo: str = ""
    is_reached: bool = True


def faults(connection: psycopg.Connection) -> list[Fault]:
    """Every fault of this database's schema waops, locks aside; what the service does not reach, in one per kind."""
    parts = (_of_objects, _of_columns, _of_constraints, _of_triggers)
    return list(_together(fault for part in parts for fault in part(connection)))


def locks(connection: psycopg.Connection, mode: str) -> list[Fault]:
    """Statements that lock tables, for a session that keeps its transaction open; the last one locks all of them."""
    tables = [row for row in connection.execute(OBJECTS).fetchall() if row[0] == "TABLE"]
    each = [Fault(mode, f"table {row[2]}", LOCKS[mode].format(name=row[1]), is_reached=row[5]) for row in tables]
    return [*_together(each), Fault(mode, "every table", "; ".join(fault.sql for fault in each))]


def _together(faults: Iterable[Fault]) -> Iterator[Fault]:
    elsewhere = defaultdict(list)
    for fault in faults:
        if fault.is_reached:
            yield fault
        else:
            elsewhere[fault.kind].append(fault)
    for kind, several in elsewhere.items():
        name = f"everything the service does not reach ({len(several)})"
        yield Fault(kind, name, "; ".join(fault.sql for fault in several))


def _of_objects(connection: psycopg.Connection) -> Iterator[Fault]:
    for class_, name, short, owner, is_part, is_reached, grantees, grants in connection.execute(OBJECTS).fetchall():
        label = f"{class_.lower()} {short}"
        there = f"{'TABLE' if 'VIEW' in class_ else class_} {name}"
        away = f"{short[:50]}_away"
        moved = name.replace(f".{short}", f".{away}", 1) if class_ != "SCHEMA" else away
        found = [
            Fault(
                "renamed", label, f"ALTER {class_} {name} RENAME TO {away}", f"ALTER {class_} {moved} RENAME TO {short}"
            ),
            Fault(
                "closed",
                label,
                f"REVOKE ALL ON {there} FROM {', '.join(grantees)} CASCADE",
                "; ".join([f"GRANT ALL ON {there} TO {owner}", *(_grant(grant, there) for grant in grants)]),
            ),
        ]
        found += [
            Fault(
                "grant revoked",
                f"{label}: {grant.replace(' ON %s', '')}",
                f"REVOKE {grant % there} CASCADE",
                _grant(grant, there),
            )
            for grant in grants
        ]
        if not is_part:
            change = f"ALTER {class_} {name} OWNER TO"
            found += [
                Fault("dropped", label, f"DROP {class_} IF EXISTS {name} CASCADE"),
                Fault("owner changed", label, f"{change} {STRANGER}", f"{change} {owner}"),
            ]
        if class_ == "TABLE":
            found += [
                Fault(kind, label, sql.format(name=name, owner=owner), undo.format(name=name, owner=owner))
                for kind, (sql, undo) in OF_TABLES.items()
            ]
        elif class_ == "SEQUENCE":
            exhaust = f"ALTER SEQUENCE {name} MAXVALUE 2 RESTART 2; SELECT nextval('{name}')"
            found.append(Fault("sequence exhausted", label, exhaust, f"ALTER SEQUENCE {name} NO MAXVALUE RESTART 1000"))
        for fault in found:
            yield replace(fault, is_reached=is_reached)


def _grant(revoked: str, there: str) -> str:
    return f"GRANT {revoked % there}".replace(" FROM ", " TO ")


def _of_columns(connection: psycopg.Connection) -> Iterator[Fault]:
    for table, column, short, is_reached in connection.execute(COLUMNS).fetchall():
        label, away = f"column {table}.{short}", f"{short[:50]}_away"
        rename = f"ALTER TABLE {table} RENAME {column} TO {away}"
        undo = f"ALTER TABLE {table} RENAME {away} TO {column}"
        yield Fault("column dropped", label, f"ALTER TABLE {table} DROP IF EXISTS {column} CASCADE", "", is_reached)
        yield Fault("column renamed", label, rename, undo, is_reached)


def _of_constraints(connection: psycopg.Connection) -> Iterator[Fault]:
    for table, constraint, is_reached in connection.execute(CONSTRAINTS).fetchall():
        drop = f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint} CASCADE"
        yield Fault("constraint dropped", f"constraint {constraint} of {table}", drop, "", is_reached)


def _of_triggers(connection: psycopg.Connection) -> Iterator[Fault]:
    """Ours on tables of the service. Only a repair knows of the messages that they did not count."""
    for table, trigger in connection.execute(TRIGGERS).fetchall():
        label = f"trigger {trigger} of {table}"
        yield Fault("trigger disabled", label, f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        yield Fault("trigger dropped", label, f"DROP TRIGGER {trigger} ON {table}")
