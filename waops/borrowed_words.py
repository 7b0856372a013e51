"""Words of other packages that those do not translate to Arabic: nothing imports this, makemessages finds them here."""

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
    _("A number between 0.0 and 99.9 to indicate a percentage of users for whom this flag will be active."),
    _("Activate roll-out mode?"),
    _("Activate this flag for these user groups."),
    _("Activate this flag for these users."),
    _("Activate this flag for users with one of these languages (comma-separated list)"),
    _("Active"),
    _("Allow this flag to be set for a session for user testing"),
    _("Authenticated"),
    _("Created"),
    _("Date when this Flag was created."),
    _("Date when this Flag was last modified."),
    _("Date when this Sample was created."),
    _("Date when this Sample was last modified."),
    _("Date when this Switch was created."),
    _("Date when this Switch was last modified."),
    _("Delete selected"),
    _("Disable selected flags for everyone"),
    _("Disable selected switches"),
    _("Enable selected flags for everyone"),
    _("Enable selected switches"),
    _("Everyone"),
    _("Flag"),
    _("Flag always active for authenticated users?"),
    _("Flag always active for staff?"),
    _("Flag always active for superusers?"),
    _(
        "Flip this flag on (Yes) or off (No) for everyone, overriding all other settings. "
        "Leave as Unknown to use normally."
    ),
    _("Groups"),
    _("Is this switch active?"),
    _("Languages"),
    _("Modified"),
    _("Name"),
    _("Note where this Flag is used."),
    _("Note where this Sample is used."),
    _("Note where this Switch is used."),
    _("Percent"),
    _("Rollout"),
    _("Sample"),
    _("Samples"),
    _("Superusers"),
    _("Switch"),
    _("Switches"),
    _("Testing"),
    _("The human/computer readable name."),
    _("Users"),
)
