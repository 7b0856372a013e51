"""Who may do what, and who sees which businesses.

A person can be limited to some businesses (`usage.AccessLimit`). The tables' manager (`ForeignTableManager`) then
limits every read of the service's tables within a request. Statements written in SQL take `current().businesses` or
`current().instances` as a parameter; both are None for readers who see everything. Outside of requests, in commands and
tests, reads are not limited.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Permission, PermissionsMixin
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse

Rows = TypeVar("Rows", bound=QuerySet[Any, Any])

SEE_NUMBERS = "waops.see_numbers"
"""Permission to see full phone numbers."""
OF_BUSINESSES: dict[str, frozenset[str]] = {}
"""Apps whose rows belong to businesses, each with its models that are the same for every business: limited
people may only read those. All other apps concern the whole service and are closed to limited people.
"""
LIMITS: list[str] = []
"""The model of the limits, "app_label.Model", and its app."""
NOBODY = UUID(int=0)

INSTANCES = "SELECT id FROM public.whatsapp_instances WHERE user_id = ANY (%s)"


class Reader:
    """The person something is read for; without a person, the app itself, which sees everything."""

    def __init__(self, person: Any = None) -> None:
        """`person` is a value of `request.user`."""
        self._person = person

    @cached_property
    def businesses(self) -> frozenset[UUID] | None:
        """Ids of the businesses whose rows this person sees, never empty; None for all."""
        if self._person is None:
            return None
        if not self._person.is_authenticated:
            return frozenset([NOBODY])
        limit: frozenset[UUID] | None = self._person.businesses
        return limit if limit is None else limit or frozenset([NOBODY])

    @cached_property
    def instances(self) -> frozenset[UUID] | None:
        """Ids of those businesses' WhatsApp numbers, never empty; None for all. One query for a limited person."""
        if self.businesses is None:
            return None
        with connection.cursor() as cursor:
            cursor.execute(INSTANCES, [list(self.businesses)])
            return frozenset(pk for (pk,) in cursor.fetchall()) or frozenset([NOBODY])

    @cached_property
    def sees_numbers(self) -> bool:
        return self._person is None or bool(self._person.has_perm(SEE_NUMBERS))

    @cached_property
    def hidden_numbers(self) -> set[str]:
        """Numbers that were masked for this reader; `personal.text` also masks them in texts."""
        return set()

    @property
    def is_limited(self) -> bool:
        return self.businesses is not None

    @property
    def scope(self) -> str:
        """The part of a cache key that all readers who see the same businesses share."""
        if self.businesses is None:
            return "all"
        return sha256("".join(sorted(map(str, self.businesses))).encode()).hexdigest()

    def sees(self, business: UUID | None) -> bool:
        """Whether this person sees that business. Only unlimited people see rows that belong to no business."""
        return self.businesses is None or business in self.businesses

    def among(self, businesses: Iterable[UUID] | None) -> list[UUID] | None:
        """Those of the given businesses that this person sees. For None, which means all: None, or all that
        are seen.
        """
        if self.businesses is None:
            return None if businesses is None else list(businesses)
        return list(self.businesses if businesses is None else self.businesses.intersection(businesses))

    def limit(self, rows: Rows, *, business: str = "", number: str = "") -> Rows:
        """The rows this person sees, given the path from a row to its business's id or its WhatsApp number's id."""
        if self.businesses is None:
            return rows
        if business:
            return rows.filter(**{f"{business}__in": self.businesses})
        return rows.filter(**{f"{number}__in": self.instances})


class _RequestReader(Reader):
    """The sender of a request, looked up on first use, because most static files and errors never need it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def _person(self) -> Any:
        return self._request.user


EVERYTHING = Reader()

_current: ContextVar[Reader] = ContextVar("reader", default=EVERYTHING)


def current() -> Reader:
    """The reader of the current request."""
    return _current.get()


@contextmanager
def reading_as(reader: Reader) -> Iterator[None]:
    token = _current.set(reader)
    try:
        yield
    finally:
        _current.reset(token)


class AccessMiddleware:
    """Makes the sender of a request its reader, until the last chunk of a streamed response."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        reader = _RequestReader(request)
        with reading_as(reader):
            response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            response.streaming_content = _streamed(reader, response.streaming_content)
        return response


def _streamed(reader: Reader, pieces: Any) -> Iterator[Any]:
    iterator = iter(pieces)
    while True:
        with reading_as(reader):
            try:
                piece = next(iterator)
            except StopIteration:
                return
        yield piece


def may(request: HttpRequest, permission: str) -> bool:
    """Whether the current reader has that permission, given as `app_label.codename`."""
    return isinstance(request.user, PermissionsMixin | AnonymousUser) and request.user.has_perm(permission)


def concerns_everybody(permission: str) -> bool:
    """Whether a permission concerns more than single businesses, so that limited people cannot use it."""
    app, _, codename = permission.partition(".")
    if permission == SEE_NUMBERS:
        return False
    action, _, model = codename.partition("_")
    if app not in OF_BUSINESSES or f"{app}.{model}" in map(str.lower, LIMITS):
        return True
    return model in OF_BUSINESSES[app] and action != "view"


def limits() -> Any:
    """The manager of the limits: each limits a `person` or a `group` to some `businesses`."""
    return apps.get_model(LIMITS[0])._default_manager


def with_limits(people: QuerySet[Any, Any]) -> Any:
    """Add `limited_to` to staff members in the same query: ids of businesses, and None for each limit
    without businesses. Empty for people without limits.
    """
    own = limits().filter(Q(person=OuterRef("pk")) | Q(group__user=OuterRef("pk")))
    return people.annotate(limited_to=ArraySubquery(own.order_by().values("businesses")))


def with_device(people: QuerySet[Any, Any]) -> Any:
    """Add `owns_device`: whether a staff member has set up a second factor."""
    devices = apps.get_model("otp_totp", "TOTPDevice")._default_manager.filter(user=OuterRef("pk"), confirmed=True)
    return people.annotate(owns_device=Exists(devices))


def with_permissions(people: QuerySet[Any, Any]) -> Any:
    """Add `granted`: a staff member's own and group permissions as "app_label.codename", possibly with duplicates."""
    own = Permission.objects.filter(Q(user=OuterRef("pk")) | Q(group__user=OuterRef("pk"))).order_by()
    name = Concat("content_type__app_label", Value("."), "codename", output_field=TextField())
    return people.annotate(granted=ArraySubquery(own.values_list(name)))
