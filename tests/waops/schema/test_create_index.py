"""CreateIndex: what it finds, builds, adopts, refuses and puts back."""

import psycopg
import pytest
from django.db import connection

from tests.waops.schema.conftest import backwards, forwards
from waops.schema import CreateIndex, errors

INDEX = "CREATE INDEX things_open ON public.things USING btree (owner, label DESC) WHERE done = false"
UNIQUE = "CREATE UNIQUE INDEX things_label ON public.things USING btree (owner, label)"


def state(session: psycopg.Connection, name: str = "things_open") -> tuple | None:
    """Definition and validity."""
    return session.execute(
        "SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
        [f"public.{name}"],
    ).fetchone()


def records(session: psycopg.Connection) -> list[tuple]:
    return session.execute(
        "SELECT identity, before FROM waops.waops_installedobject WHERE identity LIKE 'public.things%'"
    ).fetchall()


def test_it_builds_and_reverse_drops(things, session):
    forwards(CreateIndex(INDEX))
    definition, valid = state(session)
    assert "(owner, label DESC) WHERE (done = false)" in definition
    assert valid
    assert records(session) == [("public.things_open", None)]

    backwards(CreateIndex(INDEX))
    assert state(session) is None
    assert records(session) == []


def test_it_runs_twice_to_the_same_end(things, session):
    forwards(CreateIndex(INDEX))
    forwards(CreateIndex(INDEX))
    assert records(session) == [("public.things_open", None)]
    backwards(CreateIndex(INDEX))
    backwards(CreateIndex(INDEX))
    assert state(session) is None


def test_it_adopts_an_identical_index_written_otherwise_and_reverse_keeps_it(things, session):
    session.execute("create index things_open on public.things (owner ASC, label desc nulls first) where (done)=FALSE")
    found = state(session)
    forwards(CreateIndex(INDEX))
    assert records(session) == [("public.things_open", {"definition": found[0]})]
    backwards(CreateIndex(INDEX))
    assert state(session) == found
    assert records(session) == []


@pytest.mark.parametrize(
    "found",
    [
        "CREATE INDEX things_open ON public.things (owner, label) WHERE done = false",
        "CREATE INDEX things_open ON public.things (owner, label DESC)",
        "CREATE INDEX things_open ON public.things (owner, label DESC) WHERE done = true",
        "CREATE UNIQUE INDEX things_open ON public.things (owner, label DESC) WHERE done = false",
        "CREATE INDEX things_open ON public.things (owner, label DESC) INCLUDE (id) WHERE done = false",
        "CREATE INDEX things_open ON public.things (owner, label text_pattern_ops DESC) WHERE done = false",
    ],
)
def test_same_name_with_another_definition_is_refused(things, session, found):
    session.execute(found)
    before = state(session)
    with pytest.raises(errors.IndexDefinitionDiffers) as error:
        forwards(CreateIndex(INDEX))
    assert before[0] in str(error.value)
    assert INDEX in str(error.value)
    assert state(session) == before


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("CREATE INDEX things_open ON public.others (owner)", "things_open ON public.others"),
        ("CREATE VIEW things_open AS SELECT 1 AS one", "view things_open"),
    ],
)
def test_a_name_taken_by_something_else_is_refused(things, session, statement, found):
    session.execute(statement)
    with pytest.raises(errors.IndexNameTaken) as error:
        forwards(CreateIndex(INDEX))
    assert found in str(error.value)
    assert records(session) == []


def test_an_invalid_leftover_is_rebuilt(server, things, session):
    forwards(CreateIndex(INDEX))
    with psycopg.connect(things, user="supabase_admin") as superuser:
        superuser.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'things_open'::regclass")
    forwards(CreateIndex(INDEX))
    assert state(session)[1]


def test_reverse_leaves_alone_what_it_has_no_record_of(things, session, caplog):
    session.execute(INDEX)
    backwards(CreateIndex(INDEX))
    assert state(session)
    assert "is kept" in caplog.text


def test_inside_a_transaction_it_refuses(things):
    with pytest.raises(errors.InsideTransaction, match="atomic = False"):
        forwards(CreateIndex(INDEX), atomic=True)


def test_a_missing_table_and_a_missing_column_are_named(things):
    with pytest.raises(errors.TableMissing, match="demo baseline"):
        forwards(CreateIndex("CREATE INDEX things_open ON public.nothing USING btree (id)"))
    with pytest.raises(errors.IndexNotPossible, match="colour"):
        forwards(CreateIndex("CREATE INDEX things_open ON public.things USING btree (colour)"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # the session is usable


def test_timeouts_are_put_back_exactly(things):
    names = "current_setting('lock_timeout'), current_setting('statement_timeout')"
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '7s'; SET statement_timeout = '11min'")
        forwards(CreateIndex(INDEX))
        cursor.execute(f"SELECT {names}")
        assert cursor.fetchone() == ("7s", "11min")
        with pytest.raises(errors.TableMissing):
            forwards(CreateIndex("CREATE INDEX things_open ON public.nothing USING btree (id)"))
        cursor.execute(f"SELECT {names}")
        assert cursor.fetchone() == ("7s", "11min")


def test_duplicates_stop_a_unique_index_and_are_named(things, session):
    session.execute("INSERT INTO things (id, owner, label) VALUES (2001, 1, 'twice'), (2002, 1, 'twice')")
    with pytest.raises(errors.DuplicatesFound) as error:
        forwards(CreateIndex(UNIQUE, repair="things"))
    message = str(error.value)
    assert '[1, "twice"]' in message
    assert "2001, 2002" in message
    assert "manage.py repair things --apply" in message
    assert state(session, "things_label") is None


def test_nulls_and_rows_outside_the_predicate_are_no_duplicates(things, session):
    session.execute("INSERT INTO things (id, owner, label) VALUES (2001, 1, NULL), (2002, 1, NULL)")
    session.execute("INSERT INTO things (id, owner, label, done) VALUES (2003, 1, 'd', true), (2004, 1, 'd', true)")
    forwards(CreateIndex(f"{UNIQUE} WHERE done = false", repair="things"))
    assert state(session, "things_label")[1]


def test_a_unique_index_must_name_its_repair():
    with pytest.raises(ValueError, match="repair"):
        CreateIndex(UNIQUE)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX CONCURRENTLY a ON public.t (id)",
        "CREATE INDEX IF NOT EXISTS a ON public.t (id)",
        "CREATE INDEX a ON t (id)",
        "DROP INDEX public.a",
    ],
)
def test_other_statements_are_refused(sql):
    with pytest.raises(ValueError, match="CREATE"):
        CreateIndex(sql)
