"""Who asks."""

from typing import cast

from django.http import HttpRequest

from waops.models import User


def person(request: HttpRequest) -> User:
    """The member of staff; the admin lets nobody else come to the desk's pages."""
    return cast(User, request.user)
