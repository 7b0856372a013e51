from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class WaopsConfig(AppConfig):
    name = "waops"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from waops import checks  # noqa: F401 registers the system checks


class WaopsAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "waops.admin_site.WaopsAdminSite"
