"""Strings of other packages that lack Arabic translations. Nothing imports this module; makemessages finds
them here.
"""

from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext_lazy

DJANGO = (
    _("Conflicting form data submitted. Please try again."),
    _("Constraint “%(name)s” is violated."),
    _("Disabled"),
    _("Enable password-based authentication for this user by setting a password."),
    _("Enabled"),
    _("Enter a valid %(protocol)s address."),
    _("Enter a valid domain name."),
    _("Password-based authentication"),
    _("Password-based authentication was disabled."),
    _("Raw passwords are not stored, so there is no way to see the user’s password."),
    _("Reset password"),
    _("Set password"),
    _("Set password: %s"),
    _(
        "Whether the user will be able to authenticate using a password or not. If disabled, they may still be able to "
        "authenticate using other backends, such as Single Sign-On or LDAP."
    ),
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
)

WAFFLE = (
    _("A number between 0.0 and 100.0 to indicate a percentage of the time this sample will be active."),
    _("Created"),
    _("Date when this Sample was created."),
    _("Date when this Sample was last modified."),
    _("Delete selected"),
    _("Flag"),
    _("Modified"),
    _("Name"),
    _("Note where this Sample is used."),
    _("Percent"),
    _("Sample"),
    _("Samples"),
    _("Switch"),
    _("Switches"),
    _("The human/computer readable name."),
)
