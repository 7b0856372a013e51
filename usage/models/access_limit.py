"""Who sees which businesses."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from usage.models.profile import Profile


class AccessLimit(models.Model):
    """One person, or everyone in a group, sees only these businesses; several limits add up.

    A limit without businesses shows none. Only deleting it lifts it, so a group with a limit cannot be deleted. See
    waops/access/readers.py.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    group = models.OneToOneField(
        "auth.Group", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("group")
    )
    businesses = models.ManyToManyField(
        Profile, db_constraint=False, blank=True, related_name="+", verbose_name=_("businesses")
    )

    class Meta:
        verbose_name = _("limit of access")
        verbose_name_plural = _("limits of access")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=True) ^ models.Q(group__isnull=True),
                name="limit_of_a_person_or_a_group",
                violation_error_message=_("Choose either a person or a group."),
            )
        ]

    def __str__(self) -> str:
        return str(self.person or self.group)
