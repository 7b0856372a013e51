"""No address finds out what a page does not show, whatever column it names."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import DatabaseError, models, transaction
from django.test import RequestFactory

from tests import factories
from tests.access.test_matrix import single_rows
from tests.access.world import own_and_other, signed_in
from waops.admin.addresses import BadAddressError, ClearAddresses
from waops.database import kept

DEPTH = 3
LOOKUPS = ("", "__startswith", "__icontains", "__regex", "__gte", "__in")
LISTS = sorted(admin.site._registry.items(), key=lambda entry: entry[0]._meta.label)
OWN_PAGES = {"usage.Profile", "escalations.Escalation", "waops.Operations"}
"""Their lists are not change lists: they read their addresses with separate forms."""
NAMES = [model._meta.label for model, _ in LISTS]
CANARY = "zyxwv"


def text_columns(model: type[models.Model], path: str = "", depth: int = 0) -> Iterator[str]:
    """Paths to every text column that can be reached from the model in that many steps, by relations both ways."""
    for field in model._meta.get_fields():
        step = f"{path}{field.name}"
        if isinstance(field, models.CharField | models.TextField | models.JSONField):
            yield step
        elif field.is_relation and field.related_model and depth < DEPTH:
            yield from text_columns(field.related_model, f"{step}__", depth + 1)  # type: ignore[arg-type]


@pytest.fixture
def one_request() -> Iterator[None]:
    """As within a request: what is cached is asked for once."""
    kept._begin()
    yield
    kept._end()


@pytest.mark.parametrize(("model", "page"), LISTS, ids=NAMES)
def test_every_list_is_strict(model: Any, page: Any) -> None:
    assert isinstance(page, ClearAddresses)


@pytest.mark.parametrize(("model", "page"), [one for one in LISTS if one[0]._meta.label not in OWN_PAGES])
def test_no_lookup_reaches_a_column(db, one_request, model: Any, page: Any) -> None:
    """Neither answer depends on the value: both say that the list does not know the filter."""
    person = factories.staff(is_superuser=True)
    let_through = []
    allowed = {*page.link_lookups, *(getattr(one, "parameter_name", None) for one in page.list_filter)}
    allowed |= {one for one in page.list_filter if isinstance(one, str)}
    for column in text_columns(model):
        for lookup in LOOKUPS:
            if (asked := column + lookup) in allowed:
                continue
            request = RequestFactory().get("/", {asked: "a"})
            request.user = person
            try:
                page.get_changelist_instance(request)
            except BadAddressError:
                continue
            let_through.append(asked)
    assert not let_through


@pytest.mark.parametrize(
    "address",
    [
        "/waops/user/?groups__user__password__startswith={}",
        "/waops/user/?password__startswith={}",
        "/waops/user/?groups__user__totpdevice__key__startswith={}",
        "/auth/group/?user__password__startswith={}",
        "/usage/accesslimit/?person__password__startswith={}",
        "/conversations/whatsappinstance/?escalation_enabled__in={}",
        "/waops/user/?_popup=1&_to_field=password&q={}",
    ],
)
def test_secrets_cannot_be_asked_for(db, address: str) -> None:
    person = factories.staff(is_superuser=True)
    person.set_unusable_password()
    person.save()
    client = signed_in(person)
    for value in ("!", "pbkdf2", "1"):
        assert client.get(address.format(value)).status_code == 400


@pytest.mark.parametrize("path", ["/usage/profile/", "/escalations/escalation/"])
def test_separate_pages_answer_the_same(db, path: str) -> None:
    own_and_other()
    client = signed_in(factories.staff(is_superuser=True))
    model = next(model for model, _ in LISTS if path == f"/{model._meta.app_label}/{model._meta.model_name}/")
    for column in text_columns(model, depth=DEPTH):
        answers = [client.get(path, {f"{column}__startswith": value}) for value in ("c", "zz")]
        assert answers[0].status_code == answers[1].status_code
        if answers[0].status_code == 200:
            assert len({b"canary_reason" in answer.content for answer in answers}) == 1


def test_search_finds_by_what_the_pages_show(db) -> None:
    """A column that neither the list nor a row's page shows is in no search."""
    person = factories.staff(is_superuser=True)
    rows = single_rows(factories.staff()) | own_and_other()[0].rows
    client = signed_in(person)
    told = []
    for model, page in LISTS:
        name = model._meta.label_lower
        row = rows.get(name)
        if row is None or not page.search_fields or model._meta.label in OWN_PAGES:
            continue
        for column in model._meta.concrete_fields:
            if not isinstance(column, models.CharField | models.TextField) or column.choices or column.primary_key:
                continue
            point = transaction.savepoint()
            try:
                with transaction.atomic():
                    model._base_manager.filter(pk=row.pk).update(**{column.attname: CANARY})
            except DatabaseError:
                continue
            listed = f"/{name.replace('.', '/')}/"
            shown = client.get(listed).content + client.get(f"{listed}{row.pk}/change/").content
            found = client.get(listed, {"q": CANARY}).context["cl"].result_count
            if found and CANARY.encode() not in shown:
                told.append(f"{name}.{column.name}")
            transaction.savepoint_rollback(point)
    assert not told
