"""Who may what."""

from django.contrib.auth.models import AnonymousUser, PermissionsMixin
from django.http import HttpRequest


def may(request: HttpRequest, permission: str) -> bool:
    """Whether the person who asks has that permission, as `app_label.codename`."""
    return isinstance(request.user, PermissionsMixin | AnonymousUser) and request.user.has_perm(permission)
