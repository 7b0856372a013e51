"""Beside a field that chooses a row, a form has links to that row: each opens."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.pages.addresses import Address, addresses

LINK = re.compile(r'data-href-template="([^"]+)"')


def rows_of(path: str) -> str | None:
    """The id of a row of the model that the path is about."""
    for model in admin.site._registry:
        if path.startswith(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")):
            return str(model._base_manager.values_list("pk", flat=True).first())
    return None


@pytest.mark.parametrize(
    "address", [one for one in addresses() if one.name.endswith("_add")], ids=lambda address: address.name
)
def test_every_link_to_a_related_row_opens(client: Client, address: Address) -> None:
    page = client.get(address.path())
    for link in map(unescape, LINK.findall(page.content.decode())):
        path = link.replace("__fk__", rows_of(link) or "")
        assert client.get(f"{path}&_popup=1").status_code == 200, path
