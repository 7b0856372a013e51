"""Who may what, and who sees what.

A person may be limited to some businesses (`usage.AccessLimit`). Every read of the service's tables within a request is
then limited by the tables' own manager (`waops.live_schema.ForeignTableManager`), and statements written in SQL take
`current().businesses` or `current().instances` as a parameter; both are None for whoever sees everything. Outside of
requests, in commands and tests, nobody is limited.
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
from django.db.models import OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse

Rows = TypeVar("Rows", bound=QuerySet[Any, Any])

SEE_NUMBERS = "waops.see_numbers"
"""Permission to see phone numbers in full."""
OF_BUSINESSES = ("escalations", "conversations", "usage")
"""Apps whose rows belong to businesses. All others are about the whole service: nothing for a limited person."""
SHARED = ("accesslimit", "cannednote", "closingoutcome", "knownreason", "price", "waittarget", "workingday")
"""Models of those apps that are the same for every business: a limited person may read them, and no more."""
NOBODY = UUID(int=0)

INSTANCES = "SELECT id FROM public.whatsapp_instances WHERE user_id = ANY (%s)"


class Reader:
    """For whom something is read; without a person, for the app itself, which sees everything."""

    def __init__(self, person: Any = None) -> None:
        """`person` is as `request.user` is."""
        self._person = person

    @cached_property
    def businesses(self) -> frozenset[UUID] | None:
        """Ids of the businesses whose rows this person sees, never empty; None: all of them."""
        if self._person is None:
            return None
        if not self._person.is_authenticated:
            return frozenset([NOBODY])
        limit: frozenset[UUID] | None = self._person.businesses
        return limit if limit is None else limit or frozenset([NOBODY])

    @cached_property
    def instances(self) -> frozenset[UUID] | None:
        """Ids of those businesses' WhatsApp numbers, never empty; None: all of them. One query for a limited person."""
        if self.businesses is None:
            return None
        with connection.cursor() as cursor:
            cursor.execute(INSTANCES, [list(self.businesses)])
            return frozenset(pk for (pk,) in cursor.fetchall()) or frozenset([NOBODY])

    @cached_property
    def sees_numbers(self) -> bool:
        return self._person is None or bool(self._person.has_perm(SEE_NUMBERS))

    @property
    def is_limited(self) -> bool:
        return self.businesses is not None

    @property
    def scope(self) -> str:
        """The same for readers who see the same businesses: part of the key of whatever is cached for them."""
        if self.businesses is None:
            return "all"
        return sha256("".join(sorted(map(str, self.businesses))).encode()).hexdigest()

    def sees(self, business: UUID | None) -> bool:
        """Whether this person sees that business. What belongs to no business is for the unlimited."""
        return self.businesses is None or business in self.businesses

    def among(self, businesses: Iterable[UUID] | None) -> list[UUID] | None:
        """Those of the businesses that this person sees; of None, which stands for all: None, or all that are seen."""
        if self.businesses is None:
            return None if businesses is None else list(businesses)
        return list(self.businesses if businesses is None else self.businesses.intersection(businesses))

    def limit(self, rows: Rows, *, business: str = "", number: str = "") -> Rows:
        """The rows that this person sees, by the path from a row to its business's id, or to its WhatsApp number's."""
        if self.businesses is None:
            return rows
        if business:
            return rows.filter(**{f"{business}__in": self.businesses})
        return rows.filter(**{f"{number}__in": self.instances})


class _RequestReader(Reader):
    """Whoever sent a request, looked up when first asked for: most pages of static files and errors never do."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def _person(self) -> Any:
        return self._request.user


EVERYTHING = Reader()

_current: ContextVar[Reader] = ContextVar("reader", default=EVERYTHING)


def current() -> Reader:
    """For whom this code reads at the moment."""
    return _current.get()


@contextmanager
def reading_as(reader: Reader) -> Iterator[None]:
    token = _current.set(reader)
    try:
        yield
    finally:
        _current.reset(token)


class AccessMiddleware:
    """Makes whoever sends a request its reader, until the last piece of a streamed answer."""

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
    """Whether the person who asks has that permission, as `app_label.codename`."""
    return isinstance(request.user, PermissionsMixin | AnonymousUser) and request.user.has_perm(permission)


def concerns_everybody(permission: str) -> bool:
    """Whether a permission reaches beyond single businesses, so that a limited person has it in vain."""
    app, _, codename = permission.partition(".")
    if permission == SEE_NUMBERS:
        return False
    action, _, model = codename.partition("_")
    return app not in OF_BUSINESSES or (model in SHARED and action != "view") or model == "accesslimit"


def with_limits(people: QuerySet[Any, Any]) -> Any:
    """Adds `limited_to` to members of staff, who would each read it otherwise: ids of businesses, and None for each
    limit that names none; empty for whoever is not limited."""
    limits = apps.get_model("usage", "AccessLimit")._default_manager
    own = limits.filter(Q(person=OuterRef("pk")) | Q(group__user=OuterRef("pk")))
    return people.annotate(limited_to=ArraySubquery(own.order_by().values("businesses")))


def with_permissions(people: QuerySet[Any, Any]) -> Any:
    """Adds `granted`: what a member of staff has, or has by a group, as "app_label.codename"; some of it twice."""
    own = Permission.objects.filter(Q(user=OuterRef("pk")) | Q(group__user=OuterRef("pk"))).order_by()
    name = Concat("content_type__app_label", Value("."), "codename", output_field=TextField())
    return people.annotate(granted=ArraySubquery(own.values_list(name)))
