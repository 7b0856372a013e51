"""A page asks the cache for a handful of values, however many rows it shows. No account lies in the cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client

from tests.pages.addresses import Address, addresses
from waops.models import User

OPERATIONS = ("changelist", "checklist", "report", "markdown")
MOST_CALLS = 5
AT_FIRST = {
    **dict.fromkeys(
        (
            "admin:escalations_escalation_ai_context",
            "admin:conversations_message_changelist",
            "admin:conversations_aiinteraction_changelist",
        ),
        6,
    ),
    # The definition of each index that is looked at is stored by itself.
    **{f"admin:{name}": 30 for name in ("index", *(f"waops_operations_{page}" for page in OPERATIONS))},
}
"""Calls of a first visit, where it needs more."""

CALLS = ("get", "get_many", "set", "set_many", "add", "touch", "delete", "incr", "has_key")


@contextmanager
def counted_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every call that would be a round trip to Redis."""
    calls: list[str] = []
    within: list[str] = []

    def counting(name: str) -> Any:
        method = getattr(LocMemCache, name)

        def call(self: LocMemCache, keys: Any, *args: Any, **kwargs: Any) -> Any:
            # Where Redis has one call for many keys, LocMemCache calls itself for each.
            if not within:
                calls.append(f"{name} {keys}")
            within.append(name)
            try:
                return method(self, keys, *args, **kwargs)
            finally:
                within.pop()

        return call

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(LocMemCache, name, counting(name))
        yield calls


@pytest.mark.parametrize("address", addresses(), ids=lambda address: address.name)
def test_a_page_makes_few_calls_to_the_cache(client: Client, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    path = address.real()
    if path is None:
        pytest.skip("no such row in the demo data")
    cache.clear()
    for most in (AT_FIRST.get(address.name, MOST_CALLS), MOST_CALLS):
        with counted_calls(monkeypatch) as calls:
            b"".join(client.get(path))
        assert len(calls) <= most, calls


def test_no_password_is_kept_in_the_cache(client: Client) -> None:
    accounts = User.objects.values_list("password", flat=True)
    cache.clear()
    for address in addresses():
        if path := address.real():
            b"".join(client.get(path))
    kept = [value for one in caches.all() for value in one._cache.values()]  # type: ignore[attr-defined]
    assert kept
    for password in accounts:
        assert not any(password.encode() in value for value in kept)
