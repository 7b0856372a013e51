"""Write the login history, from Django's signals and our own pages."""

from typing import Any

import axes.signals  # noqa: F401 its receivers come before ours
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from waops.access.people import User
from waops.accounts.models import SignInEvent
from waops.serving.client_address import client_address
from waops.serving.logs import request_id
from waops.serving.requests import current_request

Kind = SignInEvent.Kind
BROWSER_LENGTH = 300


def record(kind: Kind, request: HttpRequest | None, person: AbstractBaseUser | None, *, by: Any = None) -> None:
    """Record an event for the account `person`; `by` is set if another person caused it."""
    if by is not None and by.pk == getattr(person, "pk", None):
        by = None
    SignInEvent.objects.create(
        kind=kind,
        person_id=person.pk if person else None,
        person_name=person.get_username() if person else "",
        actor_id=by.pk if by else None,
        actor_name=by.get_username() if by else "",
        address=client_address(request) if request else None,
        browser=request.META.get("HTTP_USER_AGENT", "")[:BROWSER_LENGTH] if request else "",
        request_id=request_id.get(),
    )


@receiver(user_logged_in)
def _logged_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    record(Kind.LOGGED_IN, request, user)


@receiver(user_logged_out)
def _logged_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record(Kind.LOGGED_OUT, request, user)


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """axes has already counted this attempt. While locked out nothing more is recorded, or retries would
    fill the history.
    """
    failures = getattr(request, "axes_failures_since_start", None) or 0
    if failures > settings.AXES_FAILURE_LIMIT:
        return
    person = _account(credentials.get("username"))
    record(Kind.FAILED, request, person)
    if failures == settings.AXES_FAILURE_LIMIT:
        record(Kind.LOCKED_OUT, request, person)


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def _saved(instance: User, created: bool, **kwargs: Any) -> None:
    """Covers every way to set a password: a person's own page, an administrator's, or a command."""
    if created or instance._password is None:  # type: ignore[attr-defined]  # until save() returns, as for Django's validators
        return
    request = current_request.get()
    user = getattr(request, "user", None)
    record(Kind.PASSWORD_CHANGED, request, instance, by=user if user is not None and user.is_authenticated else None)


def _account(username: Any) -> User | None:
    """The account with that name, which is whatever was typed."""
    if not isinstance(username, str) or "\0" in username:
        return None
    return User.objects.filter(username=username).first()
