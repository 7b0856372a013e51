"""Parts of admin pages: table cells that keep their meaning as cards, and the fields of one row."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import template
from django.contrib.admin.helpers import AdminReadonlyField
from django.contrib.admin.utils import lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext

from waops.access.personal import text
from waops.access.readers import may
from waops.templatetags.waops import json_block, ltr, outside_block

register = template.Library()


@register.simple_tag
def cells(row: Iterable[SafeString], headers: list[dict[str, Any]]) -> Iterator[SafeString]:
    """The cells Django rendered for a row, with their role and column name.

    On phones the table is shown as cards, which removes the browser's own row and cell semantics.
    """
    for cell, header in zip(row, headers, strict=False):
        role = "rowheader" if cell.startswith("<th") else "cell"
        label = "" if "action-checkbox" in header["class_attrib"] else capfirst(header["text"])
        attributes = (
            format_html(' role="{}" data-label="{}"', role, label) if label else format_html(' role="{}"', role)
        )
        yield mark_safe(f"{cell[:3]}{attributes}{cell[3:]}")  # noqa: S308 both parts are escaped


@register.simple_tag(takes_context=True)
def fact(context: Context, field: AdminReadonlyField) -> SafeString | str:
    """The value of a read-only field by its kind: JSON indented, long text as a block, relations as links."""
    row = field.form.instance
    try:
        model_field, _, value = lookup_field(field.field["field"], row, field.model_admin)
    except ObjectDoesNotExist:
        return str(field.empty_value_display)
    if value is None or value == "":
        return str(field.empty_value_display)
    if isinstance(model_field, models.JSONField):
        return json_block(value)
    if isinstance(model_field, models.UUIDField):
        return ltr(value)
    if isinstance(model_field, models.TextField | models.CharField) and not model_field.choices:
        return outside_block(value)
    if isinstance(model_field, models.ForeignKey):
        return row_link(context["request"], getattr(row, model_field.name))
    if isinstance(model_field, models.BooleanField):
        return gettext("Yes") if value else gettext("No")
    return field.contents()


def row_link(request: HttpRequest, row: models.Model | None) -> SafeString | str:
    """A row's name, linked to its page if the reader may open it."""
    if row is None:
        return ""
    options = row._meta
    if not may(request, f"{options.app_label}.view_{options.model_name}"):
        return format_html("<bdi>{}</bdi>", text(str(row)))
    address = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])
    return format_html('<a href="{}"><bdi>{}</bdi></a>', address, text(str(row)))
