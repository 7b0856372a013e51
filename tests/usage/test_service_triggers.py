"""Counting quota needs nothing of ours, and what the service's own triggers name without a schema is found."""

import json

import psycopg
import pytest
from django.db import connection

from tests import factories
from usage.models import Profile
from waops.dev.embedded.server import SUPERUSER

TRIGGERS = """
    CREATE TABLE public.usage_log (at timestamptz);
    GRANT INSERT ON public.usage_log TO service_role;
    CREATE FUNCTION public.log_usage() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO usage_log VALUES (now());
        RETURN NULL;
    END $$;
    CREATE TRIGGER service_logs AFTER UPDATE ON public.profiles FOR EACH ROW EXECUTE FUNCTION public.log_usage();
    CREATE TRIGGER service_logs AFTER INSERT ON public.whatsapp_ai_interactions
        FOR EACH ROW EXECUTE FUNCTION public.log_usage();
"""
DAMAGES = {
    "none": "SELECT",
    "schema dropped": "DROP SCHEMA waops CASCADE",
    "schema closed": "REVOKE ALL ON SCHEMA waops FROM PUBLIC, service_role",
    "incidents dropped": "DROP TABLE waops.waops_incident",
}


@pytest.fixture
def session(committed_database, server):
    with psycopg.connect(server.dsn(SUPERUSER, connection.settings_dict["NAME"]), autocommit=True) as session:
        yield session


def check(session: psycopg.Connection, *arguments: object) -> dict:
    places = ", ".join(["%s"] * len(arguments))
    (answer,) = session.execute(f"SELECT public.check_and_update_ai_usage({places})", arguments).fetchone()
    return answer if isinstance(answer, dict) else json.loads(answer)


@pytest.mark.parametrize("damage", DAMAGES)
def test_it_counts_without_anything_of_ours(session: psycopg.Connection, damage: str) -> None:
    shop = factories.business()
    number = factories.instance(shop)
    session.execute(TRIGGERS)
    session.execute(DAMAGES[damage])
    session.execute("SET ROLE service_role")
    assert check(session, shop.pk, True)["used"] == 1
    unknown = check(session, number.pk, True)
    assert (unknown["allowed"], unknown["resetsOn"]) == (True, None)
    session.execute(
        "INSERT INTO public.whatsapp_ai_interactions (whatsapp_instance_id, user_message, user_phone, ai_response)"
        " VALUES (%s, '', '', '')",
        [number.pk],
    )
    session.execute("RESET ROLE")
    assert session.execute("SELECT count(*) FROM public.usage_log").fetchone() == (2,)


def test_a_held_incident_does_not_hold_the_answer(session: psycopg.Connection, server) -> None:
    unknown = factories.instance().pk
    check(session, unknown)
    with psycopg.connect(server.dsn(SUPERUSER, connection.settings_dict["NAME"])) as other:
        other.execute("SELECT FROM waops.waops_incident FOR UPDATE")
        session.execute("SET statement_timeout = '2s'")
        with session.transaction():
            session.execute(
                "SELECT public.check_and_update_ai_usage(%s) FROM generate_series(1, 100)", [unknown]
            ).fetchall()
            assert session.execute("SHOW lock_timeout").fetchone() == ("0",)


def test_null_asks_without_counting(session: psycopg.Connection) -> None:
    shop = factories.business(monthly_ai_responses_used=3)
    answer = check(session, shop.pk, None)
    assert (answer["allowed"], answer["used"]) == (True, 3)
    assert Profile.objects.get(pk=shop.pk).monthly_ai_responses_used == 3


def test_a_count_that_a_trigger_discards_refuses_nothing(session: psycopg.Connection) -> None:
    shop = factories.business(monthly_ai_response_limit=100, monthly_ai_responses_used=7)
    number = factories.instance(shop)
    session.execute(
        "CREATE FUNCTION public.discard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;"
        " CREATE TRIGGER discards BEFORE UPDATE ON public.profiles FOR EACH ROW EXECUTE FUNCTION public.discard()"
    )
    answer = check(session, shop.pk, True)
    assert (answer["allowed"], answer["used"], answer["limit"]) == (True, 7, 100)
    assert "discarded it" in answer["errorMessage"]
    assert check(session, shop.pk)["errorMessage"] is None
    arrived = "SELECT public.message_arrived(%s, '20100', 'hello', 'a', 10, 60) -> 'turn'"
    (turn,) = session.execute(arrived, [number.pk]).fetchone()
    assert (turn["state"], turn["quota_reserved"]) == ("yours", False)
    session.execute("ALTER TABLE public.profiles DISABLE TRIGGER discards")
    session.execute("UPDATE public.profiles SET monthly_ai_responses_used = 100")
    assert check(session, shop.pk, True)["allowed"] is False
