"""The operations pages: for operators only, right in both languages, and refusing what is not theirs to do."""

import time
from threading import Thread

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from tests import factories
from waops.dbops.models import AcceptedDrift, Backup, ChecklistTick, ExplainBaseline, Snapshot
from waops.dbops.pages import PAGES
from waops.dbops.snapshots import take_snapshot

BASE = "/waops/operations/"
ADDRESSES = [BASE, *(f"{BASE}{page.name}/" for page in PAGES[1:]), f"{BASE}report/", f"{BASE}report.md"]


@pytest.fixture
def operator(committed_database) -> Client:
    client = Client()
    client.force_login(factories.staff("Operators", username="amal"))
    return client


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_operator_sees_every_page(operator, address, language):
    operator.cookies["django_language"] = language
    response = operator.get(address)
    assert response.status_code == 200
    text = response.content.decode()
    if not address.endswith(".md"):
        assert f'lang="{language}"' in text
        assert text.count("<h1") == 1


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("group", ["Support", "Managers"])
def test_no_one_else_does(db, address, group):
    client = Client()
    client.force_login(factories.staff(group))
    assert client.get(address).status_code == 403


def test_a_stranger_is_sent_to_the_login(db):
    assert Client().get(BASE).status_code == 302


def test_the_pages_are_in_an_operators_navigation_only(operator, committed_database):
    assert reverse("admin:waops_operations_changelist") in operator.get("/").content.decode()
    support = Client()
    support.force_login(factories.staff("Support"))
    assert BASE not in support.get("/").content.decode()


def test_a_finding_is_shown_with_its_command(operator, owner):
    owner.execute("DROP INDEX public.idx_messages_conversation")
    text = operator.get(BASE).content.decode()
    assert "public.idx_messages_conversation" in text
    assert "CREATE INDEX CONCURRENTLY idx_messages_conversation" in text


@pytest.mark.parametrize(
    "address",
    [
        "slow-queries/?order=nonsense",
        "snapshots/?before=1",
        "snapshots/?before=nonsense&after=99999999999999999999",
        "plans/?before=1&after=x",
    ],
)
def test_a_bad_address_is_explained(operator, address):
    response = operator.get(BASE + address)
    assert response.status_code == 400
    assert "Traceback" not in response.content.decode()


def test_an_item_is_ticked_and_taken_back_by_name(operator):
    address = f"{BASE}checklist/tick/"
    assert operator.post(address, {"item": "off_peak", "done": "1", "note": "at 03:00 <b>"}).status_code == 302
    text = operator.get(f"{BASE}checklist/").content.decode()
    assert "at 03:00 &lt;b&gt;" in text
    assert "amal" in text
    operator.post(address, {"item": "off_peak", "done": "0"})
    assert "at 03:00" not in operator.get(f"{BASE}checklist/").content.decode()
    assert ChecklistTick.objects.count() == 2


def test_a_tick_without_a_note_is_refused(operator):
    response = operator.post(f"{BASE}checklist/tick/", {"item": "off_peak", "done": "1", "note": " "})
    assert response.status_code == 400
    assert "note" in response.content.decode()
    assert not ChecklistTick.objects.exists()


def test_what_is_measured_offers_no_tick(operator):
    text = operator.get(f"{BASE}checklist/").content.decode()
    assert 'value="off_peak"' in text
    assert 'value="indexes_production"' not in text


@pytest.mark.parametrize("item", ["backup", "nonsense", ""])
def test_a_measured_step_cannot_be_ticked(operator, item):
    assert operator.post(f"{BASE}checklist/tick/", {"item": item, "done": "1"}).status_code == 400
    assert not ChecklistTick.objects.exists()


def test_a_backup_is_entered(operator):
    assert operator.post(f"{BASE}checklist/backup/", {"note": "Supabase, daily"}).status_code == 302
    assert Backup.objects.get().recorded_by == "amal"
    assert operator.post(f"{BASE}checklist/backup/", {"note": " "}).status_code == 400


def test_snapshots_are_taken_and_compared(operator, owner):
    for note in ("before", "after"):
        assert operator.post(f"{BASE}snapshots/take/", {"note": note}).status_code == 302
        owner.execute("CREATE TABLE IF NOT EXISTS public.newcomer AS SELECT 'x' AS x")
    after, before = Snapshot.objects.values_list("pk", flat=True)
    text = operator.get(f"{BASE}snapshots/?before={before}&after={after}").content.decode()
    assert "public.newcomer" in text


def test_plans_are_compared(operator):
    plan = {"Node Type": "Seq Scan", "Relation Name": "profiles"}
    better = {"Node Type": "Index Scan", "Relation Name": "profiles", "Index Name": "idx_p"}
    for name, tree, took in (("before", plan, 90.0), ("after", better, 9.0)):
        statement = {"times": [took], "planning": 1.0, "blocks": 5, "rows": 1, "plan": tree}
        ExplainBaseline.objects.create(
            name=name, server_version=180000, plans={"parameters": {}, "statements": {"quota": statement}}
        )
    after, before = ExplainBaseline.objects.values_list("pk", flat=True)
    text = operator.get(f"{BASE}plans/?before={before}&after={after}").content.decode()
    assert "Seq Scan on profiles → Index Scan using idx_p on profiles" in text
    assert "-90.0 %" in text


def test_a_difference_is_accepted(operator, owner):
    owner.execute("ALTER TABLE public.profiles ADD COLUMN mood text")
    text = operator.get(f"{BASE}drift/").content.decode()
    assert "public.profiles.mood" in text
    address = f"{BASE}drift/accept/"
    assert operator.post(address, {"difference": "column.extra:profiles.mood"}).status_code == 302
    assert AcceptedDrift.objects.get().by_name == "amal"
    assert "profiles.mood" not in operator.get(f"{BASE}drift/").content.decode()
    assert operator.post(address, {"difference": "nonsense"}).status_code == 400


ACTIONS = ["checklist/tick/", "checklist/backup/", "snapshots/take/", "drift/accept/", "connections/terminate/"]


@pytest.mark.parametrize("address", ACTIONS)
def test_actions_are_posts_of_those_who_may(operator, address):
    assert operator.get(BASE + address).status_code == 302
    looker = factories.staff()
    from django.contrib.auth.models import Permission

    looker.user_permissions.add(Permission.objects.get(codename="view_operations"))
    client = Client()
    client.force_login(looker)
    assert client.get(BASE).status_code == 200
    assert "<form" not in client.get(f"{BASE}checklist/").content.decode().split("</header>")[-1].split("<main")[-1]
    assert client.post(BASE + address, {"item": "off_peak", "note": "x", "key": "x", "pid": "1"}).status_code == 403


def test_a_session_is_ended_only_where_the_setting_allows(operator, owner, committed_database, settings):
    with psycopg.connect(committed_database) as holder:
        holder.execute("LOCK TABLE profiles")

        def wait() -> None:
            with psycopg.connect(committed_database) as waiter:
                waiter.execute("SELECT count(*) FROM profiles")

        thread = Thread(target=wait)
        thread.start()
        pid = holder.info.backend_pid
        waiting = "SELECT FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
        deadline = time.monotonic() + 60
        while owner.execute(waiting, [pid]).fetchone() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        address = f"{BASE}connections/terminate/"
        assert operator.post(address, {"pid": pid}).status_code == 403
        settings.OPERATIONS_ALLOW_TERMINATE = True
        assert f'value="{pid}"' in operator.get(f"{BASE}connections/").content.decode()
        assert operator.post(address, {"pid": owner.info.backend_pid}).status_code == 400
        assert operator.post(address, {"pid": pid}).status_code == 302
        thread.join(60)
        assert not thread.is_alive()
        holder.close()


def test_pages_answer_while_a_table_is_locked(operator, committed_database):
    """The lock is held until they have answered: a page that waited for it would never end."""
    take_snapshot()
    for address in ADDRESSES:
        operator.get(address)
    with psycopg.connect(committed_database) as other:
        other.execute("LOCK TABLE whatsapp_conversation_messages, profiles IN ACCESS EXCLUSIVE MODE")
        for address in ADDRESSES:
            assert operator.get(address).status_code in (200, 503), address


def test_before_our_tables_exist_the_doctor_still_answers(server, databases, django_db_blocker):
    """Through the command: without our tables no one can log in."""
    from tests.databases import django_uses
    from waops.dbops.doctor import diagnose

    with django_db_blocker.unblock(), databases.clone("after") as name, django_uses(server, name):
        assert diagnose().figures
