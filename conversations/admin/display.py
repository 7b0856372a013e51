"""Display methods used on several pages of this app."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import WhatsAppInstance
from waops.database.live_schema import ForeignTable
from waops.templatetags.waops import ltr, outside_text, status


def yes_or_no(value: bool | None) -> SafeString:
    if value is None:
        return status("unknown", _("unknown"))
    return status("done", _("yes")) if value else status("off", _("no"))


def text_column(model: type[ForeignTable], field: str) -> Callable[[Any, Any], SafeString | str]:
    """A list column for a text of the service, which may contain a phone number."""

    @admin.display(description=model._meta.get_field(field).verbose_name, ordering=field)  # type: ignore[union-attr]
    def shown(model_admin: Any, row: Any) -> SafeString | str:
        return outside_text(getattr(row, field), 40)

    return shown


class InstanceColumns:
    """Columns of a row that belongs to a WhatsApp number, `row.instance`, of a business."""

    @admin.display(description=gettext_lazy("WhatsApp number"))
    def number(self, row: Any) -> SafeString | str:
        return ltr(row.instance)

    @admin.display(description=gettext_lazy("business"))
    def business_name(self, row: Any) -> SafeString | str:
        instance: WhatsAppInstance | None = row.instance
        return outside_text(instance.business, 40) if instance else ""
