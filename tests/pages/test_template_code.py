"""A tag that Django's templates cannot read is shown as it is: no page may."""

import re

import pytest
from django.test import Client

from tests.pages.addresses import Address, addresses

TAG = re.compile(rb"{% ?[a-z]+[^\n]{0,60}|{{ [a-z]+[^\n]{0,60}")


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.name)
def test_no_page_shows_the_code_of_its_template(client: Client, address: Address) -> None:
    if (path := address.real()) is None:
        pytest.skip("no such row in the demo data")
    assert TAG.findall(b"".join(client.get(path))) == []
