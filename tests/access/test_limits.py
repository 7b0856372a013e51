"""Staff who are limited to some businesses see nothing of any other, and change nothing there."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, Message
from escalations import procedures
from escalations.models import Event, KnownReason
from escalations.procedures import Outcome
from tests import factories
from tests.access.world import CANARY, World, limited, own_and_other, signed_in, traces_in
from usage.models import AccessLimit, Profile
from waops.access.readers import EVERYTHING, Reader, concerns_everybody, current, reading_as
from waops.models import User

pytestmark = pytest.mark.django_db

QUEUE = "/escalations/escalation/"


@pytest.fixture
def worlds() -> tuple[World, World]:
    return own_and_other()


@pytest.fixture
def own(worlds) -> World:
    return worlds[0]


@pytest.fixture
def other(worlds) -> World:
    return worlds[1]


@pytest.fixture
def salma(own) -> User:
    return limited(factories.staff("Support", username="salma"), own.business)


@pytest.fixture
def manager(own) -> User:
    return limited(factories.staff("Managers", "Support", username="mona"), own.business)


def test_no_one_is_limited_by_default(worlds) -> None:
    person = factories.staff("Support")
    assert User.objects.get(pk=person.pk).businesses is None
    assert CANARY in signed_in(person).get(QUEUE).content.decode()
    assert current() is EVERYTHING
    assert Profile.objects.count() == 2


def test_limits_of_a_person_and_of_their_groups_add_up(worlds) -> None:
    own, other = worlds
    person = limited(factories.staff("Support"), own.business)
    AccessLimit.objects.create(group=Group.objects.get(name="Support")).businesses.set([other.business])
    everybody_else = factories.staff("Managers")
    assert User.objects.get(pk=person.pk).businesses == {own.business.pk, other.business.pk}
    assert User.objects.get(pk=everybody_else.pk).businesses is None


def test_a_limit_without_businesses_shows_nothing(worlds) -> None:
    client = signed_in(limited(factories.staff("Support")))
    page = client.get(QUEUE)
    assert page.status_code == 200
    assert not {trace for one in worlds for trace in traces_in(page.content.decode(), one)}


def test_a_limit_is_of_a_person_or_of_a_group() -> None:
    with pytest.raises(IntegrityError):
        AccessLimit.objects.create()


def test_a_request_reads_the_limit_with_the_person(salma) -> None:
    client = signed_in(salma)
    client.get(QUEUE)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(QUEUE)
    people = [query["sql"] for query in queries if 'FROM "waops_user"' in query["sql"]]
    assert "usage_accesslimit" in people[0]
    assert len([query for query in queries if "SELECT id FROM public.whatsapp_instances" in query["sql"]]) == 1


def test_an_unlimited_persons_statements_are_as_they_were(worlds) -> None:
    sql = str(Message.objects.all().query)
    assert "JOIN" not in sql
    assert "WHERE" not in sql


def test_actions_treat_a_hidden_escalation_as_one_that_does_not_exist(salma, own, other) -> None:
    escalation, hidden = own.rows["escalations.escalation"], other.rows["escalations.escalation"]
    with reading_as(Reader(salma)):
        results = procedures.claim([hidden.pk, escalation.pk], salma)
        assert {result.escalation_id: result.outcome for result in results} == {
            escalation.pk: Outcome.CLAIMED,
            hidden.pk: Outcome.NOT_FOUND,
        }
        for action in (procedures.release, procedures.resolve, procedures.renew):
            assert [result.outcome for result in action([hidden.pk], salma)] == [Outcome.NOT_FOUND]
    assert not Event.objects.filter(escalation_id=hidden.pk).exists()


def test_bulk_on_all_that_match_takes_ones_own_only(salma, own, other) -> None:
    client = signed_in(salma)
    preview = client.post(f"{QUEUE}bulk/", {"action": "resolve", "all": "1", "query": ""})
    assert not traces_in(preview.content.decode(), other)
    chosen = preview.context["escalations"]
    assert chosen.startswith(str(own.rows["escalations.escalation"].pk))
    hidden = other.rows["escalations.escalation"]
    client.post(f"{QUEUE}bulk/", {"action": "resolve", "escalations": f"{chosen},{hidden.pk}:0"})
    hidden.refresh_from_db()
    own.rows["escalations.escalation"].refresh_from_db()
    assert hidden.resolved_at is None
    assert own.rows["escalations.escalation"].resolved_at is not None


def test_needs_attention_fixes_only_the_persons_businesses(salma, own, other) -> None:
    client = signed_in(salma)
    page = client.get(f"{QUEUE}attention/").content.decode()
    assert "lantern" in page
    assert not traces_in(page, other)
    missed = [one.rows["conversations.missed"].pk for one in (own, other)]
    client.post(f"{QUEUE}attention/missed/", {"item": missed})
    assert [event.instance_id for event in Event.objects.filter(kind="recovered")] == [
        own.rows["conversations.whatsappinstance"].pk
    ]
    hidden = other.rows["escalations.escalation"]
    client.post(f"{QUEUE}attention/disconnected/", {"item": [hidden.pk]})
    hidden.refresh_from_db()
    assert hidden.resolved_at is None


def test_models_without_a_price_are_those_of_ones_own_answers(manager, other) -> None:
    client = signed_in(manager)
    client.get("/usage/profile/")
    page = client.get("/usage/price/").content.decode()
    assert "lantern model" in page
    assert not traces_in(page, other)


def test_the_count_of_findings_is_each_readers_own(salma, worlds) -> None:
    colleague = factories.staff("Support")
    everything = signed_in(colleague).get(f"{QUEUE}attention/").context["findings"]
    client = signed_in(salma)
    signed_in_again = client.get(f"{QUEUE}attention/").context["findings"]
    assert [len(finding.items) for finding, _ in everything] == [2 * len(f.items) for f, _ in signed_in_again]


def test_accepting_a_reason_is_for_the_unlimited(salma, own) -> None:
    client = signed_in(salma)
    assert client.post(f"{QUEUE}attention/reasons/", {"item": ["lantern_reason"]}).status_code == 403
    assert not KnownReason.objects.exists()


def test_the_live_answer_is_each_readers_own(salma, own, other) -> None:
    client = signed_in(salma)
    answer = client.get(f"{QUEUE}live/")
    assert answer.json()["counts"]["open"] == 1
    assert answer.json()["counts"]["today"] == 1
    unchanged = client.get(f"{QUEUE}live/", headers={"If-None-Match": answer["ETag"]})
    assert unchanged.status_code == 304
    colleague = signed_in(factories.staff("Support"))
    assert colleague.get(f"{QUEUE}live/", headers={"If-None-Match": answer["ETag"]}).json()["counts"]["open"] == 2
    hidden = other.rows["escalations.escalation"]
    assert colleague.post(f"{QUEUE}live/{hidden.pk}/").status_code == 204
    assert not traces_in(client.get(f"{QUEUE}live/").content.decode(), other)
    assert client.post(f"{QUEUE}live/{hidden.pk}/").status_code == 404


def test_search_finds_ones_own_only(salma, own, other) -> None:
    client = signed_in(salma)
    for words in ("words", "20177755", "50001", CANARY, f"{other.phone}1"):
        page = client.get(f"{QUEUE}search/", {"q": words})
        assert not {trace for trace in traces_in(page.content.decode(), other) if trace not in words}, words
    assert len(client.get(f"{QUEUE}search/", {"q": "words"}).context["found"]["messages"].rows) == 1


def test_a_streamed_export_is_limited_to_its_last_line(manager, own, other) -> None:
    answer = signed_in(manager).get(f"{QUEUE}reports/escalations.csv")
    lines = b"".join(answer.streaming_content).decode()
    assert own.phone in lines
    assert not traces_in(lines, other)


def test_quota_is_seen_and_changed_of_ones_own_businesses_only(manager, own, other) -> None:
    client = signed_in(manager)
    overview = client.get("/usage/profile/")
    assert overview.context["totals"].businesses == 1
    for file_format in ("csv", "xlsx"):
        answer = client.get("/usage/profile/export/", {"format": file_format})
        assert CANARY.encode() not in b"".join(answer.streaming_content)
    change = {"limit-expected": 100, "limit-limit": 500, "limit-reason": "more"}
    assert client.post(f"/usage/profile/{other.business.pk}/limit/", change).status_code == 404
    assert client.post(f"/usage/profile/{own.business.pk}/limit/", change).status_code == 302
    limits = dict(Profile.objects.values_list("pk", "monthly_ai_response_limit"))
    assert limits == {own.business.pk: 500, other.business.pk: 100}


def test_another_persons_preview_changes_nothing_hidden(manager, own, other) -> None:
    colleague = signed_in(factories.staff("Managers"))
    operation = {"scope": "all", "kind": "add", "number": 5, "reason": "more", "list": ""}
    plan = colleague.post("/usage/profile/bulk/", operation).context["plan"]
    signed_in(manager).post("/usage/profile/bulk/", {"plan": plan, "list": ""})
    limits = dict(Profile.objects.values_list("pk", "monthly_ai_response_limit"))
    assert limits == {own.business.pk: 105, other.business.pk: 100}


def test_an_escalation_is_handed_over_only_to_people_who_may_see_it(own, other, salma) -> None:
    nobody = limited(factories.staff("Support", username="omar"), other.business)
    somebody = factories.staff("Support", username="nour")
    escalation = own.rows["escalations.escalation"]
    client = signed_in(salma)
    page = client.get(f"{QUEUE}{escalation.pk}/change/")
    assert [one.name for one in page.context["colleagues"]] == ["nour", "salma"]
    assert client.post(f"{QUEUE}{escalation.pk}/hand-over/", {"to": nobody.pk}).status_code == 403
    assert client.post(f"{QUEUE}{escalation.pk}/hand-over/", {"to": somebody.pk}).status_code == 302


def test_autocomplete_and_forms_offer_ones_own_businesses(manager, own, other) -> None:
    client = signed_in(manager)
    field = {"app_label": "escalations", "model_name": "closingrule", "field_name": "business"}
    found = client.get("/autocomplete/", {**field, "term": "bakery"}).json()["results"]
    assert [one["id"] for one in found] == [str(own.business.pk)]
    form = {"business": other.business.pk, "thresholds": "50", "language": "en"}
    for business, words in ((other.business.pk, "valid choice"), ("", "required")):
        page = client.post("/usage/alertrule/add/", {**form, "business": business})
        assert words in page.content.decode()


def test_what_concerns_everybody_is_not_for_a_limited_superuser(own) -> None:
    person = limited(factories.staff(is_superuser=True), own.business)
    client = signed_in(person)
    for page in ("/waops/operations/", "/waops/user/", "/usage/accesslimit/", "/waops/archivedrow/"):
        assert client.get(page).status_code == 403, page
    assert client.get("/usage/price/").status_code == 200
    assert client.get("/usage/price/add/").status_code == 403
    assert client.get(QUEUE).status_code == 200
    home = client.get("/").content.decode()
    assert "/waops/operations/" not in home
    assert "lantern" in home


def test_which_permissions_concern_everybody() -> None:
    assert concerns_everybody("waops.change_user")
    assert concerns_everybody("usage.add_price")
    assert concerns_everybody("usage.view_accesslimit")
    assert not concerns_everybody("usage.view_price")
    assert not concerns_everybody("usage.change_quota")
    assert not concerns_everybody("escalations.change_closingrule")
    assert not concerns_everybody("waops.see_numbers")


def test_an_administrator_limits_a_person_and_the_history_says_so(worlds) -> None:
    own, other = worlds
    person = factories.staff("Support", username="salma")
    client = signed_in(factories.staff(is_superuser=True))
    client.post("/usage/accesslimit/add/", {"person": person.pk, "businesses": [own.business.pk, other.business.pk]})
    limit = AccessLimit.objects.get(person=person)
    address = f"/usage/accesslimit/{limit.pk}/"
    client.post(f"{address}change/", {"person": person.pk, "businesses": [own.business.pk]})
    assert User.objects.get(pk=person.pk).businesses == {own.business.pk}
    history = client.get(f"{address}history/").content.decode()
    assert "+ canary bakery" in history
    assert "− canary bakery" in history
    assert "lantern bakery" in client.get("/usage/accesslimit/").content.decode()
    client.post(f"{address}delete/", {"post": "yes"})
    assert User.objects.get(pk=person.pk).businesses is None
    assert LogEntry.objects.filter(content_type__model="accesslimit").count() == 3


def test_only_administrators_set_limits(worlds) -> None:
    for group in ("Support", "Managers", "Operators"):
        assert signed_in(factories.staff(group)).get("/usage/accesslimit/").status_code == 403


def test_lists_are_read_by_the_numbers_of_the_business(salma, own) -> None:
    with reading_as(Reader(salma)):
        assert Conversation.objects.order_by("user_phone").first().user_phone == f"{own.phone}1"
        sql = str(Conversation.objects.all().query)
    assert "instance_id" in sql
    assert "JOIN" not in sql
