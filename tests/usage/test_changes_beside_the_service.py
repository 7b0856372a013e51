"""Bulk changes beside the service's own statements: none of those is ever a deadlock's victim, or waits for long."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from uuid import UUID

import psycopg
import pytest
from django.db import connection, connections

from tests import factories
from tests.usage.test_changes import at_once, later
from usage import batches, changes, resets
from usage.batches import Outcome
from usage.models import Profile, QuotaChange
from waops.dev.embedded.server import SUPERUSER


def service(server) -> psycopg.Connection:
    """A session of the service, whose statements may take three seconds."""
    session = psycopg.connect(server.dsn(SUPERUSER, connection.settings_dict["NAME"]))
    session.execute("SET ROLE service_role")
    session.execute("SET statement_timeout = '3s'")
    session.commit()
    return session


def limits(ids: list[UUID], mona) -> object:
    return {one.outcome for one in changes.set_limits(dict.fromkeys(ids, (100, 300)), mona, "New plan")}


def counters(ids: list[UUID], mona) -> object:
    return {one.outcome for one in resets.reset_counters(dict.fromkeys(ids), mona, "Test messages")}


@pytest.mark.parametrize("change", [limits, counters])
def test_it_never_holds_a_business_while_it_waits_for_another(committed_database, server, change: Callable) -> None:
    mona = factories.staff("Managers")
    first, second = (factories.business(monthly_ai_responses_used=9) for _ in range(2))
    ids = [first.pk, second.pk]

    def run() -> object:
        try:
            return change(ids, mona)
        finally:
            connections.close_all()

    with service(server) as session, ThreadPoolExecutor() as pool:
        session.execute("UPDATE public.profiles SET full_name = full_name WHERE id = %s", [second.pk])
        running = pool.submit(run)
        for _ in range(40):
            if QuotaChange.objects.filter(business=first).exists():
                break
            sleep(0.05)
        session.execute("UPDATE public.profiles SET full_name = full_name WHERE id = %s", [first.pk])
        session.commit()
        assert running.result() == {Outcome.CHANGED}


def test_what_is_held_all_the_time_is_left_alone_and_named(committed_database, server, monkeypatch) -> None:
    monkeypatch.setattr(batches, "PATIENCE", 0.1)
    mona = factories.staff("Managers")
    free, held = factories.business(), factories.business()
    with service(server) as session:
        session.execute("UPDATE public.profiles SET full_name = full_name WHERE id = %s", [held.pk])
        results = changes.set_limits({free.pk: (100, 300), held.pk: (100, 300)}, mona, "New plan")
    assert {one.business.pk: one.outcome for one in results} == {free.pk: Outcome.CHANGED, held.pk: Outcome.BUSY}


def test_the_job_runs_beside_every_command(committed_database, server) -> None:
    mona = factories.staff("Managers")
    shops = [factories.business(subscription_end_date=factories.ago(days=-90)) for _ in range(60)]
    ids = [shop.pk for shop in shops]

    def work(index: int) -> None:
        for turn in range(6):
            if index == 0:
                with service(server) as session:
                    session.execute(
                        "UPDATE public.profiles SET last_responses_reset_date = now() - interval '40 days'"
                        " WHERE id = ANY (%s)",
                        [ids[turn % 2 :: 2]],
                    )
                    session.commit()
                    session.execute("SELECT * FROM public.manage_subscriptions_and_limits()")
            elif index == 1:
                current = dict(Profile.objects.values_list("pk", "monthly_ai_response_limit"))
                changes.set_limits({pk: (limit, limit + 1) for pk, limit in current.items()}, mona, "Again")
            elif index == 2:
                current = dict(Profile.objects.values_list("pk", "monthly_ai_response_limit"))
                changes.top_up(current, 5, factories.ago(hours=-1), mona, "Feast")
                later()
            else:
                list(resets.reset_due())

    at_once(work, 4)
