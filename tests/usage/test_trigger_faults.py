"""Whatever becomes of our tables, the service writes answers and changes quotas; what we missed is known."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from conversations.models import AIInteraction
from tests import factories, wording
from tests.usage.shops import is_complete
from tests.usage.test_rollup import assert_exact
from usage import doctor, rollup
from usage.doctor import missed_changes
from usage.models import Missed, Profile, QuotaChange
from waops.dev.embedded.server import OWNER, SUPERUSER, EmbeddedServer

TABLES = ("usage_pendinganswer", "usage_quotachange")
COLUMNS = {"usage_pendinganswer": "intent", "usage_quotachange": "reason", "usage_missed": "problem"}
RAISE = """
    CREATE FUNCTION public.fail_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;
    CREATE TRIGGER fails BEFORE INSERT ON waops.{table} EXECUTE FUNCTION public.fail_{table}()
"""
LOCKS = {
    mode: f"LOCK TABLE waops.usage_pendinganswer, waops.usage_quotachange, waops.usage_rollupstate IN {mode} MODE"
    for mode in ("ACCESS EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE")
} | {"FOR UPDATE": "SELECT FROM waops.usage_rollupstate, waops.usage_quotachange FOR UPDATE"}
TABLE_FAULTS = {
    "dropped": (
        "CREATE TABLE waops.kept_{table} (LIKE waops.{table} INCLUDING ALL); DROP TABLE waops.{table} CASCADE",
        f"ALTER TABLE waops.kept_{{table}} RENAME TO {{table}}; ALTER TABLE waops.{{table}} OWNER TO {OWNER}",
    ),
    "renamed": (
        "ALTER TABLE waops.{table} RENAME TO elsewhere_{table}",
        "ALTER TABLE waops.elsewhere_{table} RENAME TO {table}",
    ),
    "a column more": (
        "ALTER TABLE waops.{table} ADD COLUMN more integer NOT NULL",
        "ALTER TABLE waops.{table} DROP COLUMN more",
    ),
    "a column less": (
        "ALTER TABLE waops.{table} RENAME COLUMN {column} TO gone",
        "ALTER TABLE waops.{table} RENAME COLUMN gone TO {column}",
    ),
    "another owner": (
        f"ALTER TABLE waops.{{table}} OWNER TO {SUPERUSER}; REVOKE ALL ON waops.{{table}} FROM PUBLIC, {OWNER}",
        f"ALTER TABLE waops.{{table}} OWNER TO {OWNER}; GRANT ALL ON waops.{{table}} TO {OWNER}",
    ),
    "rights revoked": (
        f"REVOKE ALL ON waops.{{table}} FROM {OWNER}",
        f"GRANT ALL ON waops.{{table}} TO {OWNER}",
    ),
    "a raising trigger": (RAISE, "DROP FUNCTION public.fail_{table}() CASCADE"),
}
SCHEMA_FAULTS = {
    "the schema renamed": ("ALTER SCHEMA waops RENAME TO moved", "ALTER SCHEMA moved RENAME TO waops"),
    "the schema closed": (
        f"ALTER SCHEMA waops OWNER TO {SUPERUSER}; REVOKE ALL ON SCHEMA waops FROM {OWNER}, service_role",
        f"ALTER SCHEMA waops OWNER TO {OWNER}; GRANT USAGE ON SCHEMA waops TO service_role",
    ),
    "functions of another owner": (
        "ALTER FUNCTION waops.queue_answers() OWNER TO service_role;"
        "ALTER FUNCTION waops.record_outside_change() OWNER TO service_role",
        f"ALTER FUNCTION waops.queue_answers() OWNER TO {OWNER};"
        f"ALTER FUNCTION waops.record_outside_change() OWNER TO {OWNER}",
    ),
}


class World:
    """A business with one counted answer, a superuser who breaks things, and the service that goes on writing."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.dsn = server.dsn(SUPERUSER, connection.settings_dict["NAME"])
        self.shop = factories.business()
        self.number = factories.instance(self.shop)
        factories.interaction(factories.conversation(self.number), response_model="before")
        assert rollup.rebuild().is_built

    def run(self, statements: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as session:
            session.execute(statements)

    def service_writes(self, patience: str = "0") -> None:
        """Every kind of statement on the two tables; each transaction ends well."""
        insert = (
            "INSERT INTO public.whatsapp_ai_interactions (whatsapp_instance_id, user_message, user_phone, ai_response)"
            f" VALUES ('{self.number.pk}', '', '', '')"
        )
        with psycopg.connect(self.dsn, autocommit=True) as session:
            session.execute("SET ROLE service_role")
            session.execute(f"SET statement_timeout = '{patience}'")
            session.execute(insert)
            session.execute("UPDATE public.whatsapp_ai_interactions SET response_model = 'm' || response_model")
            with session.transaction():
                session.execute(insert)
                session.execute(insert)
            session.execute("DELETE FROM public.whatsapp_ai_interactions WHERE response_model = 'mbefore'")
            session.execute("UPDATE public.profiles SET monthly_ai_response_limit = monthly_ai_response_limit + 1")

    def assert_nothing_is_forgotten(self) -> None:
        """The counts are not built before they are exact again, and the history says what it lacks."""
        assert AIInteraction.objects.count() == 3
        assert Profile.objects.get().monthly_ai_response_limit == 101
        assert not rollup.refresh(patience=0).is_built
        assert is_complete(rollup.refresh())
        assert_exact()
        assert rollup.refresh(patience=0).is_built
        assert QuotaChange.objects.count() + missed_changes().count == 1


@pytest.fixture
def world(committed_database, server) -> Iterator[World]:
    return World(server)


def broken(statements: str, *tables: str) -> str:
    return ";".join(statements.format(table=table, column=COLUMNS[table]) for table in tables)


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_a_table_of_ours_is_broken(world: World, fault: str) -> None:
    does, undoes = TABLE_FAULTS[fault]
    world.run(broken(does, *TABLES))
    world.service_writes()
    world.run(broken(undoes, *TABLES))
    assert Missed.objects.filter(what=Missed.ANSWERS).count() == 4
    assert missed_changes().count == 1
    [note] = doctor.examine(connection).findings
    assert f"{wording.MISSING_FROM_THE_HISTORY}: 1 (" in note.what
    world.assert_nothing_is_forgotten()


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_where_misses_are_noted_is_broken_too(world: World, fault: str) -> None:
    does, undoes = TABLE_FAULTS[fault]
    world.run(broken(does, *TABLES, "usage_missed"))
    world.service_writes()
    world.run(broken(undoes, *TABLES, "usage_missed"))
    assert not Missed.objects.exists()
    assert missed_changes().count == 1
    world.assert_nothing_is_forgotten()


@pytest.mark.parametrize("fault", SCHEMA_FAULTS)
def test_the_schema_is_broken(world: World, fault: str) -> None:
    does, undoes = SCHEMA_FAULTS[fault]
    world.run(does)
    world.service_writes()
    world.run(undoes)
    world.assert_nothing_is_forgotten()


@pytest.mark.parametrize("lock", LOCKS)
def test_our_tables_are_locked(world: World, lock: str) -> None:
    with psycopg.connect(world.dsn) as session:
        session.execute(LOCKS[lock])
        world.service_writes(patience="2s")
    if lock == "FOR UPDATE":
        assert not Missed.objects.exists()
        rollup.refresh()
        assert_exact()
    else:
        world.assert_nothing_is_forgotten()


def test_a_transaction_waits_for_our_tables_once(world: World) -> None:
    """Two hundred waits of 40 ms would not end in time."""
    for _ in range(200):
        factories.business()
    with psycopg.connect(world.dsn) as session:
        session.execute("LOCK TABLE waops.usage_quotachange, waops.usage_pendinganswer")
        world.run(
            f"""
            SET statement_timeout = '4s'; BEGIN;
            UPDATE public.profiles SET monthly_ai_response_limit = monthly_ai_response_limit + 1;
            SET LOCAL statement_timeout = '4s';
            DO $$ BEGIN FOR i IN 1..200 LOOP
                INSERT INTO public.whatsapp_ai_interactions
                    (whatsapp_instance_id, user_message, user_phone, ai_response)
                VALUES ('{world.number.pk}', '', '', '');
            END LOOP; END $$;
            COMMIT
            """
        )
    assert missed_changes().count == 201
    assert Missed.objects.filter(what=Missed.ANSWERS).count() == 1
    assert is_complete(rollup.refresh())
    assert_exact()


def test_an_answer_whose_mark_came_before_its_commit_is_not_forgotten(world: World) -> None:
    """The sequence's mark is seen at once, the answer only when its transaction commits."""
    world.run(
        "ALTER TABLE waops.usage_pendinganswer RENAME TO elsewhere; ALTER TABLE waops.usage_missed RENAME TO away"
    )
    with psycopg.connect(world.dsn) as session:
        session.execute("UPDATE public.whatsapp_ai_interactions SET response_model = 'late'")
        world.run(
            "ALTER TABLE waops.elsewhere RENAME TO usage_pendinganswer; ALTER TABLE waops.away RENAME TO usage_missed"
        )
        state = rollup.rebuild()
        assert (state.is_built, "still running" in str(state.problem)) == (False, True)
    assert not rollup.refresh(patience=0).is_built
    assert rollup.refresh().is_built
    assert_exact()


@pytest.mark.parametrize(
    "meanwhile",
    [
        "ALTER TABLE public.whatsapp_ai_interactions DISABLE TRIGGER waops_queue_deleted",
        "DROP TRIGGER waops_queue_deleted ON public.whatsapp_ai_interactions",
        # As after a restore: it does not fire where session_replication_role is replica.
        "ALTER TABLE public.whatsapp_ai_interactions ENABLE TRIGGER waops_queue_deleted",
    ],
)
def test_counts_do_not_outlive_their_triggers(world: World, meanwhile: str) -> None:
    world.service_writes()
    assert rollup.refresh().is_built
    world.run(meanwhile)
    state = rollup.refresh()
    assert (state.is_built, "missing or disabled" in str(state.problem)) == (False, True)
    AIInteraction.objects.filter(pk=AIInteraction.objects.values_list("pk")[:1]).delete()
    world.run("DROP TRIGGER IF EXISTS waops_queue_deleted ON public.whatsapp_ai_interactions")
    world.run(
        "CREATE TRIGGER waops_queue_deleted AFTER DELETE ON public.whatsapp_ai_interactions"
        " REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION waops.queue_answers();"
        " ALTER TABLE public.whatsapp_ai_interactions ENABLE ALWAYS TRIGGER waops_queue_deleted"
    )
    assert not rollup.refresh(patience=0).is_built
    rollup.rebuild()
    assert_exact()


def test_a_table_with_children_has_no_counts(world: World) -> None:
    """What is written to a child, or a partition, fires no trigger of the whole table."""
    world.service_writes()
    assert rollup.refresh().is_built
    world.run(
        "CREATE TABLE public.child () INHERITS (public.whatsapp_ai_interactions);"
        " INSERT INTO public.child (whatsapp_instance_id, user_message, user_phone, ai_response)"
        f" VALUES ('{world.number.pk}', '', '', '')",
    )
    assert not rollup.refresh().is_built
