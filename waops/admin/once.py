"""Process a form once even if it is submitted twice, by a double click or again after a lost response.

Each form carries a key. The form's work stores the key in the same transaction, so either both are saved or neither.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

FIELD = "key"
"""Name of the hidden field; see the template tag `form_key`."""
LEFT_OUT = {FIELD, "csrfmiddlewaretoken"}

Done = TypeVar("Done")

USE = """
    INSERT INTO waops.waops_usedkey (key, scope)
    SELECT %s, scope FROM pg_catalog.unnest(%s::text[]) AS scope ORDER BY scope
    ON CONFLICT DO NOTHING
    RETURNING scope
"""


class UsedKey(models.Model):
    """`scope` is the form's content, or a part of its work: a form that is changed and submitted again
    counts as new.
    """

    key = models.UUIDField(_("key"))
    scope = models.TextField(_("scope"))
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        app_label = "waops"
        verbose_name = _("used form key")
        verbose_name_plural = _("used form keys")
        constraints = [models.UniqueConstraint(fields=["key", "scope"], name="form_key_used_once")]
        indexes = [
            # For the retention command.
            models.Index(fields=["at"], name="form_keys_by_time"),
        ]

    def __str__(self) -> str:
        return str(self.key)


def once(request: HttpRequest, work: Callable[[], Done], is_done: Callable[[Done], bool]) -> Done | None:
    """Run `work` and return its result, or return None if this form was already processed. Refused work may
    be retried.

    If two copies arrive at the same time, the second waits for the first.
    """
    key = key_of(request)
    if key is None:
        return work()
    with transaction.atomic():
        if not use(key, [_said(request)]):
            return None
        result = work()
        if not is_done(result):
            transaction.set_rollback(True)
    return result


def say_twice(request: HttpRequest, now: str = "") -> None:
    """Show a message when `once` has returned None. `now` tells what is true now: others may have acted since."""
    messages.info(request, format_html("{} {}", gettext("This was submitted twice and done once."), now))


def key_of(request: HttpRequest) -> UUID | None:
    """The form's key; None for a form without one."""
    try:
        return UUID(request.POST.get(FIELD, ""))
    except ValueError:
        return None


def use(key: UUID, scopes: Iterable[str]) -> set[str]:
    """Store the key for these scopes; returns the scopes for which it was new."""
    with connection.cursor() as cursor:
        cursor.execute(USE, [key, list(scopes)])
        return {scope for (scope,) in cursor.fetchall()}


def used(key: UUID, scopes: Iterable[str]) -> set[str]:
    """The scopes for which the key was already used."""
    return set(UsedKey.objects.filter(key=key, scope__in=list(scopes)).values_list("scope", flat=True))


def _said(request: HttpRequest) -> str:
    fields = sorted((name, request.POST.getlist(name)) for name in request.POST if name not in LEFT_OUT)
    return sha256(f"{request.path} {fields}".encode("utf-8", "surrogatepass")).hexdigest()
