from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EscalationsConfig(AppConfig):
    name = "escalations"
    verbose_name = _("Escalations")

    def ready(self) -> None:
        from escalations import wait_targets  # noqa: F401  (connects its signals)
        from escalations.home import register_panel

        register_panel()
