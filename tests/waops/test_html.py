"""Pieces of HTML: what is escaped."""

import pytest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from waops.admin.html import fill

VALUES = ["<b>&\"'", 5, None, "", gettext_lazy("<i>"), mark_safe("<b>bold</b>"), SafeString("&amp;")]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_it_escapes_as_django_does(value: object) -> None:
    form = '<p title="{0}">{0}{1}</p>'
    assert fill(form, value, "{}") == format_html(form, value, "{}")
    assert isinstance(fill(form, value, ""), SafeString)
