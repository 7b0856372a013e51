"""Staff members, loaded with what every request needs: limits, permissions and second factor."""

from functools import cached_property
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from waops.access.readers import concerns_everybody, with_device, with_limits, with_permissions


class StaffManager(UserManager["User"]):
    use_in_migrations = False  # the table of limits may not exist yet

    def get(self, *args: Any, **kwargs: Any) -> "User":
        """Like any manager's `get`, but loads limits, permissions and second factor too, because every
        request needs them.
        """
        return self._with_rights.using(self._db).get(*args, **kwargs)

    @cached_property
    def _with_rights(self) -> models.QuerySet["User"]:
        """Built once: building this query takes as long as running it."""
        return cast(models.QuerySet[User], with_device(with_permissions(with_limits(self.get_queryset()))))


class User(AbstractUser):
    """A staff member. Our own model, because Django cannot swap the user model later."""

    objects: ClassVar[StaffManager] = StaffManager()

    class Meta(AbstractUser.Meta):
        app_label = "waops"
        permissions = [("see_numbers", _("Can see phone numbers in full"))]

    @property
    def name(self) -> str:
        """The name as pages and histories show it."""
        return self.get_full_name() or self.get_username()

    @cached_property
    def limited_to(self) -> list[UUID | None]:
        """The businesses of the person's limits, loaded by `readers.with_limits`."""
        return User.objects.get(pk=self.pk).limited_to

    @cached_property
    def granted(self) -> list[str]:
        """The person's permissions, loaded by `readers.with_permissions`."""
        return User.objects.get(pk=self.pk).granted

    @cached_property
    def owns_device(self) -> bool:
        """Whether the person has a second factor, loaded by `readers.with_device`."""
        return User.objects.get(pk=self.pk).owns_device

    @cached_property
    def _perm_cache(self) -> set[str]:
        """Where Django's ModelBackend looks for all permissions before it reads them with two queries."""
        return self.get_user_permissions() if self.is_superuser else set(self.granted)

    @property
    def businesses(self) -> frozenset[UUID] | None:
        """Ids of the businesses this person is limited to; None if not limited."""
        return frozenset(filter(None, self.limited_to)) if self.limited_to else None

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """People limited to some businesses, superusers included, lack permissions that concern all businesses."""
        if self.is_active and self.businesses is not None and concerns_everybody(perm):
            return False
        return super().has_perm(perm, obj)
