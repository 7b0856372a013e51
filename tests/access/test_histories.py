"""Histories keep what their authors saw, and show no number to a reader who may not see it."""

import json
import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.access.test_matrix import single_rows
from tests.access.test_phone_numbers import HIDDEN, content, plain
from tests.access.world import own_and_other, signed_in
from waops.accounts.models import SignInEvent

WITHOUT_ROWS = {"waops.operations", "escalations.escalation"}
"""Models whose history is none of the admin's."""


@pytest.mark.parametrize("written", ["added", "changed", "deleted", "plain"])
def test_no_history_shows_a_number_to_a_reader_who_may_not_see_it(db, written: str) -> None:
    own, _ = own_and_other()
    person = factories.staff(username="reader")
    person.user_permissions.set(Permission.objects.exclude(codename="see_numbers"))
    number = f"{own.phone}1"
    entry = {"name": "number", "object": f"+{number}", "fields": [f"call 0{number[2:]}", f"{number[:5]} {number[5:]}"]}
    message = f"call {number}" if written == "plain" else json.dumps([{written: entry}])
    SignInEvent.objects.create(kind=SignInEvent.Kind.LOGGED_IN)
    rows = single_rows(person) | own.rows
    client = signed_in(person)
    for model in admin.site._registry:
        name = model._meta.label_lower
        if name in WITHOUT_ROWS:
            continue
        LogEntry.objects.create(
            user=person,
            content_type=ContentType.objects.get_for_model(model),
            object_id=str(rows[name].pk),
            object_repr=number,
            action_flag=CHANGE,
            change_message=message,
        )
        text = history(client, model, rows[name].pk)
        assert HIDDEN in plain(text), name
        assert own.phone not in digits(text), name
    assert own.phone not in digits(content(client, "/")), "the person's recent actions"


def history(client: Client, model: type, pk: object) -> str:
    name = model._meta.label_lower.replace(".", "_")  # type: ignore[attr-defined]
    return content(client, reverse(f"admin:{name}_history", args=[pk]))


def digits(text: str) -> str:
    return re.sub(r"[^\d]", "", text)
