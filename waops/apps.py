from axes import apps as axes_apps
from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.contrib.auth import apps as auth_apps
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static import apps as backup_code_apps
from django_otp.plugins.otp_totp import apps as authenticator_apps
from waffle import apps as waffle_apps


class WaopsConfig(AppConfig):
    name = "waops"
    verbose_name = _("Operations")

    def ready(self) -> None:
        import waops.accounts.checks
        import waops.accounts.history
        import waops.accounts.second_factor
        import waops.database.checks.connection
        import waops.database.checks.pooler
        import waops.database.checks.settings
        import waops.dbops.checks  # noqa: F401  # checks register themselves, and accounts listen to logins


class WaopsAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "waops.site.WaopsAdminSite"

    def ready(self) -> None:
        import waops.accounts.access_records
        import waops.accounts.admin
        import waops.accounts.staff
        import waops.dbops.admin
        import waops.dbops.home  # noqa: F401  # pages register themselves

        super().ready()


# Apps of other packages whose own name says nothing to a reader.


class StaffConfig(auth_apps.AuthConfig):
    default = False
    verbose_name = _("Staff")


class FlagsConfig(waffle_apps.WaffleConfig):
    default = False
    verbose_name = _("Flags")  # type: ignore[assignment]  # waffle has no lazy names


class LoginsConfig(axes_apps.AppConfig):  # type: ignore[misc]  # axes is not typed
    default = False
    verbose_name = _("Login attempts")


class AuthenticatorConfig(authenticator_apps.DefaultConfig):  # type: ignore[misc]  # django-otp is not typed
    default = False
    verbose_name = _("Second factor")


class BackupCodesConfig(backup_code_apps.DefaultConfig):  # type: ignore[misc]
    default = False
    verbose_name = _("Backup codes")
