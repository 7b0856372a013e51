from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsageConfig(AppConfig):
    name = "usage"
    verbose_name = _("AI quota")

    def ready(self) -> None:
        from usage import checks  # noqa: F401 registers the system checks
