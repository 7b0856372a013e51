"""Find damage to our objects by comparing them with what the finished migrations create.

Reads only the catalog: two statements for everything in our schema.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.database.fetch import fetch
from waops.dbops.findings import Damage
from waops.dbops.inventory import ExpectedTable, Inventory, inventory
from waops.dbops.lost_schema import keys_elsewhere, no_schema
from waops.dbops.plan import MigrationKey, all_migrations, migrations_done, plan

# Roles named by ALTER DEFAULT PRIVILEGES in our schema are the app's own: `manage.py role_sql` grants them that.
RELATIONS = """
    WITH app_role AS (
        SELECT DISTINCT pg_catalog.pg_get_userbyid(item.grantee)::text AS name
        FROM pg_catalog.pg_default_acl AS entry, pg_catalog.aclexplode(entry.defaclacl) AS item
        WHERE entry.defaclnamespace = pg_catalog.to_regnamespace(%(schema)s) AND entry.defaclobjtype = 'r'
        UNION SELECT current_user::text
    )
    SELECT %(schema)s || '.' || relation.relname, relation.relkind::text,
           pg_catalog.pg_get_userbyid(relation.relowner)::text, relation.relrowsecurity, relation.relforcerowsecurity,
           (
               SELECT pg_catalog.jsonb_object_agg(attribute.attname, pg_catalog.jsonb_build_array(
                   attribute.attnotnull AND NOT attribute.atthasdef AND attribute.attidentity = '',
                   pg_catalog.format_type(attribute.atttypid, NULL)
               ))::text
               FROM pg_catalog.pg_attribute AS attribute
               WHERE attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
           ),
           ARRAY(
               SELECT trigger.tgname::text FROM pg_catalog.pg_trigger AS trigger
               WHERE trigger.tgrelid = relation.oid AND NOT trigger.tgisinternal AND trigger.tgenabled <> 'D'
           ),
           (
               SELECT pg_catalog.jsonb_agg(ARRAY(
                   SELECT attribute.attname FROM pg_catalog.pg_attribute AS attribute
                   WHERE attribute.attrelid = relation.oid
                     AND attribute.attnum = ANY (index.indkey[0:index.indnkeyatts - 1])
               ))::text
               FROM pg_catalog.pg_index AS index
               WHERE index.indrelid = relation.oid AND index.indisunique AND index.indisvalid
                 AND index.indpred IS NULL AND index.indexprs IS NULL
           ),
           ARRAY(
               SELECT part.relname::text FROM pg_catalog.pg_index AS index
               JOIN pg_catalog.pg_class AS part ON part.oid = index.indexrelid
               WHERE index.indrelid = relation.oid AND index.indisvalid
               UNION SELECT conname::text FROM pg_catalog.pg_constraint AS part WHERE part.conrelid = relation.oid
           ),
           ARRAY(
               SELECT attribute.attname::text FROM pg_catalog.pg_constraint AS part
               JOIN pg_catalog.pg_attribute AS attribute
                   ON attribute.attrelid = part.conrelid AND attribute.attnum = part.conkey[1]
               WHERE part.conrelid = relation.oid AND part.contype = 'f'
           ),
           ARRAY(
               SELECT app_role.name FROM app_role
               WHERE NOT (
                   pg_catalog.has_table_privilege(app_role.name, relation.oid, 'SELECT')
                   AND pg_catalog.has_table_privilege(app_role.name, relation.oid, 'INSERT')
                   AND pg_catalog.has_table_privilege(app_role.name, relation.oid, 'UPDATE')
                   AND pg_catalog.has_table_privilege(app_role.name, relation.oid, 'DELETE')
               )
           )
    FROM pg_catalog.pg_class AS relation
    WHERE relation.relnamespace = pg_catalog.to_regnamespace(%(schema)s)
      AND relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
"""
GRANTED = """
    SELECT wanted.number::int, CASE
        WHEN wanted.role <> 'public' AND pg_catalog.to_regrole(wanted.role) IS NULL THEN true
        WHEN wanted.kind = 'schema'
            THEN pg_catalog.has_schema_privilege(wanted.role, wanted.identity, privilege)
        WHEN pg_catalog.to_regclass(wanted.identity) IS NULL THEN true
        WHEN wanted.kind = 'sequence'
            THEN pg_catalog.has_sequence_privilege(wanted.role, pg_catalog.to_regclass(wanted.identity), privilege)
        ELSE pg_catalog.has_table_privilege(wanted.role, pg_catalog.to_regclass(wanted.identity), privilege)
    END
    FROM ROWS FROM (
        pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[]),
        pg_catalog.unnest(%s::text[])
    ) WITH ORDINALITY AS wanted (kind, identity, privilege, role, number)
"""
# A primary key keeps its name when its table is renamed or moved.
RENAMED = """
    SELECT pg_catalog.format('%%I.%%I', namespace.nspname, heap.relname)
    FROM pg_catalog.pg_constraint AS key
    JOIN pg_catalog.pg_class AS heap ON heap.oid = key.conrelid
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = heap.relnamespace
    WHERE key.contype = 'p' AND key.conname = %s AND namespace.nspname !~ '^pg_'
      AND (namespace.nspname = %s OR heap.relname = %s)
      AND %s::text[] <@ ARRAY(
          SELECT attname::text FROM pg_catalog.pg_attribute
          WHERE attrelid = heap.oid AND attnum > 0 AND NOT attisdropped
      )
"""


@dataclass(frozen=True)
class Relation:
    """A table as the catalog has it. `columns`: whether each requires a value that nothing provides, and its type."""

    name: str
    kind: str
    owner: str
    row_security: bool
    forced: bool
    columns: dict[str, tuple[bool, str]]
    triggers: list[str]
    uniques: list[list[str]]
    names: list[str]
    references: list[str]
    closed_to: list[str]

    @classmethod
    def of(cls, *row: Any) -> Self:
        columns, uniques = json.loads(row[5] or "{}"), json.loads(row[7] or "[]")
        name, kind, owner, row_security, forced, _columns, triggers, _uniques, names, references, closed_to = row
        return cls(name, kind, owner, row_security, forced, columns, triggers, uniques, names, references, closed_to)


def find_damage(connection: BaseDatabaseWrapper, done: frozenset[MigrationKey] | None = None) -> list[Damage]:
    """Differences between our schema and what the migrations in `done` (None: those on record) create.

    The doctor checks functions and triggers in a separate section. Empty if `migrate` never ran.
    """
    schema = settings.APP_SCHEMA
    found = {one.name: one for one in fetch(connection, Relation.of, RELATIONS, {"schema": schema})}
    everything = inventory(all_migrations())
    if done is None:
        done = migrations_done(connection)
    # The migration record is created first and empty: a first `migrate` may have stopped right after that.
    record = f"{schema}.django_migrations"
    others = [name for name in everything.tables if name != record]
    if not done and not any(name in found for name in others) and not keys_elsewhere(connection, others):
        return list(no_schema(connection))
    expected = inventory(done or all_migrations())
    owners = Counter(one.owner for name, one in found.items() if name in expected.tables).most_common(1)
    damages: list[Damage] = []
    for table in expected.tables.values():
        if table.name not in found:
            damages.append(_missing_table(connection, table))
        else:
            damages += _judge(connection, table, found[table.name], owners[0][0])
    for sequence, create in expected.sequences.items():
        if sequence not in found:
            damages.append(Damage("sequence.missing", sequence, _("missing"), (create,)))
    if not done and not any(damage.subject == record for damage in damages):
        what = _("empty, although the tables of its migrations exist")
        damages.append(Damage("migrations.lost", record, what, stops_pages=True))
    return [*damages, *_grants(connection, expected)]


def _missing_table(connection: BaseDatabaseWrapper, table: ExpectedTable) -> Damage:
    schema, _dot, name = table.name.partition(".")
    parameters = [f"{name}_pkey", schema, name, list(table.columns)]
    if elsewhere := fetch(connection, str, RENAMED, parameters):
        place, _dot, current = elsewhere[0].partition(".")
        fix = []
        if place != schema:
            fix.append(f"ALTER TABLE {elsewhere[0]} SET SCHEMA {schema};")
        if current != name:
            fix.append(f"ALTER TABLE {schema}.{current} RENAME TO {name};")
        what = _("missing; it is now %(name)s") % {"name": elsewhere[0]}
        return Damage("table.missing", table.name, what, tuple(fix), stops_pages=table.model is not None)
    if table.model is None:
        return Damage("table.missing", table.name, _("missing"), (f"{table.create};",), _recomputed())
    lost = _("Its rows are lost. Restore them from a backup if you need them.")
    return Damage("table.missing", table.name, _("missing"), (), lost, stops_pages=True)


def _recomputed() -> str:
    return _("Its contents will be computed again.")


def _judge(connection: BaseDatabaseWrapper, table: ExpectedTable, found: Relation, owner: str) -> Iterator[Damage]:
    quoted = f'{settings.APP_SCHEMA}."{table.name.partition(".")[2]}"'
    is_model = table.model is not None
    if found.kind not in ("r", "p"):
        what = _("not a table: another object has its name")
        yield Damage("table.replaced", table.name, what, stops_pages=is_model)
        return
    missing = [column for column in table.columns if column not in found.columns]
    if missing:
        yield from _missing_columns(connection, table, found, missing)
    for column, (needs_value, _type) in found.columns.items():
        if needs_value and table.columns.get(column, True):
            what = _("column %(column)s is NOT NULL, and this app does not fill it in") % {"column": column}
            fix = f'ALTER TABLE {quoted} ALTER COLUMN "{column}" DROP NOT NULL;'
            yield Damage("table.column_required", table.name, what, (fix,), stops_pages=is_model)
    if found.owner != owner:
        what = _("belongs to %(found)s; the other tables belong to %(wanted)s") % {
            "found": found.owner,
            "wanted": owner,
        }
        fix = f"ALTER TABLE {quoted} OWNER TO {connection.ops.quote_name(owner)};"
        yield Damage("table.owner", table.name, what, (fix,))
    if found.row_security or found.forced:
        fixes = (
            f"ALTER TABLE {quoted} NO FORCE ROW LEVEL SECURITY;",
            f"ALTER TABLE {quoted} DISABLE ROW LEVEL SECURITY;",
        )
        what = _("row-level security hides its rows")
        yield Damage("table.row_security", table.name, what, fixes, stops_pages=is_model and found.forced)
    own = {trigger.name for trigger in plan().triggers if trigger.table == table.name}
    for trigger in sorted(set(found.triggers) - own):
        what = _("trigger %(name)s is not from this app") % {"name": trigger}
        fix = f'ALTER TABLE {quoted} DISABLE TRIGGER "{trigger}";'
        yield Damage("table.foreign_trigger", table.name, what, (fix,))
    for role in found.closed_to:
        what = _("not accessible to %(role)s") % {"role": role}
        fix = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {quoted} TO {connection.ops.quote_name(role)};"
        yield Damage("grant.missing", table.name, what, (fix,), stops_pages=is_model)
    if not missing:
        yield from _missing_constraints(connection, table, found, quoted)


def _missing_columns(
    connection: BaseDatabaseWrapper, table: ExpectedTable, found: Relation, missing: list[str]
) -> Iterator[Damage]:
    schema, _dot, name = table.name.partition(".")
    strange = [column for column in found.columns if column not in table.columns]
    for column in missing:
        what = _("column %(column)s is missing") % {"column": column}
        if len(missing) == len(strange) == 1:
            what = _("column %(column)s is missing; it is now %(name)s") % {"column": column, "name": strange[0]}
            fix: tuple[str, ...] = (f'ALTER TABLE {schema}."{name}" RENAME COLUMN "{strange[0]}" TO "{column}";',)
            yield Damage("table.column_missing", table.name, what, fix, stops_pages=table.model is not None)
        elif table.model is None:
            fix = (f"DROP TABLE {table.name};", f"{table.create};")
            yield Damage("table.column_missing", table.name, what, fix, _recomputed())
            return
        else:
            fix = _add_column(connection, table.model, column)
            lost = _("The values of its column %(column)s are lost.") % {"column": column}
            yield Damage("table.column_missing", table.name, what, fix, lost, stops_pages=True)


FILLERS = {
    "boolean": "false", "jsonb": "'{}'", "date": "CURRENT_DATE", "timestamp": "now()", "time": "'00:00'",
    "uuid": "pg_catalog.gen_random_uuid()", "varchar": "''", "text": "''",
}  # fmt: skip


def _add_column(connection: BaseDatabaseWrapper, model: type[models.Model], column: str) -> tuple[str, ...]:
    """Add the column as the migration created it; existing rows get the default, or an empty value if there is none."""
    field: Any = next(f for f in model._meta.local_concrete_fields if f.column == column)
    kind = str(field.db_type(connection))
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        is_free = field.null or field.primary_key or field.has_db_default()
        if not is_free and editor.effective_default(field) is None:
            filler = next((value for name, value in FILLERS.items() if kind.startswith(name)), "0")
            filler = "'{}'" if kind.endswith("[]") else filler
            table = f'{settings.APP_SCHEMA}."{model._meta.db_table}"'
            editor.execute(f'ALTER TABLE {table} ADD COLUMN "{column}" {kind} DEFAULT {filler} NOT NULL', None)
            editor.execute(f'ALTER TABLE {table} ALTER COLUMN "{column}" DROP DEFAULT', None)
        else:
            editor.add_field(model, field)
    return _collected(editor)


def _missing_constraints(
    connection: BaseDatabaseWrapper, table: ExpectedTable, found: Relation, quoted: str
) -> Iterator[Damage]:
    uniques = {frozenset(columns) for columns in found.uniques}
    for columns in sorted(map(sorted, table.uniques - uniques)):
        what = _("%(columns)s can have duplicates") % {"columns": ", ".join(columns)}
        if table.model is None:
            fix: tuple[str, ...] = (f"DROP TABLE {table.name};", f"{table.create};")
        else:
            is_key = columns == [table.model._meta.pk.column]
            names = ", ".join(f'"{column}"' for column in columns)
            fix = (f"ALTER TABLE {quoted} ADD {'PRIMARY KEY' if is_key else 'UNIQUE'} ({names});",)
        yield Damage("constraint.missing", table.name, what, fix)
    if table.model is None:
        return
    options: Any = table.model._meta
    for part in (*options.constraints, *options.indexes):
        if part.name in table.names and part.name not in found.names:
            with connection.schema_editor(collect_sql=True, atomic=False) as editor:
                add = editor.add_index if part in options.indexes else editor.add_constraint
                add(table.model, part)
            what = _("%(name)s is missing") % {"name": part.name}
            yield Damage("constraint.missing", table.name, what, _collected(editor))
    for column in sorted(table.references.difference(found.references)):
        field = next(f for f in options.local_concrete_fields if f.column == column)
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            create_key: Any = editor._create_fk_sql  # type: ignore[attr-defined]
            key = create_key(table.model, field, "_fk_%(to_table)s_%(to_column)s")
            editor.execute(key, None)
        what = _("the foreign key of %(column)s is missing") % {"column": column}
        yield Damage("constraint.missing", table.name, what, _collected(editor))


def create_tables(connection: BaseDatabaseWrapper, tables: Iterable[type[models.Model]]) -> tuple[str, ...]:
    """The statements that create these models' tables, with keys and indexes."""
    editor: Any
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for model in tables:
            sql, parameters = editor.table_sql(model)
            editor.execute(sql, parameters or None)
            editor.deferred_sql.extend(editor._model_indexes_sql(model))
    return _collected(editor)


def _collected(editor: Any) -> tuple[str, ...]:
    return tuple(line for line in editor.collected_sql if not line.startswith("--"))


def _grants(connection: BaseDatabaseWrapper, expected: Inventory) -> Iterator[Damage]:
    grants = expected.grants
    parameters = [[getattr(grant, name) for grant in grants] for name in ("kind", "identity", "privilege", "role")]
    for number, granted in fetch(connection, lambda *row: row, GRANTED, parameters):
        if not granted:
            grant = grants[number - 1]
            what = _("%(role)s lacks the privilege %(privilege)s") % {"role": grant.role, "privilege": grant.privilege}
            yield Damage("grant.missing", grant.identity, what, (grant.sql,))
