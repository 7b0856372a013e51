"""How rows of this app are shown in more than one place."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import WhatsAppInstance
from waops.templatetags.waops import ltr, outside_text, status


def yes_or_no(value: bool | None) -> SafeString:
    if value is None:
        return status("unknown", _("unknown"))
    return status("done", _("yes")) if value else status("off", _("no"))


class InstanceColumns:
    """Columns of a row that belongs to a WhatsApp number, `row.instance`, of a business."""

    @admin.display(description=gettext_lazy("WhatsApp number"))
    def number(self, row: Any) -> SafeString | str:
        return ltr(row.instance)

    @admin.display(description=gettext_lazy("business"))
    def business_name(self, row: Any) -> SafeString | str:
        instance: WhatsAppInstance | None = row.instance
        return outside_text(instance.business, 40) if instance else ""
