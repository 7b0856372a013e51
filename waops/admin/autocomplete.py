"""Choices among many rows, searched as one types."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.forms import Media
from django.forms.widgets import Script


class _Careful:
    """Django's widget looks up what was sent before anything has checked it, and so fails on what is no key; and what
    it makes of the field in the browser has no name for those who listen to a page."""

    field: Any

    @property
    def media(self) -> Media:
        media: Media = super().media  # type: ignore[misc]
        return media + Media(js=[Script("waops/autocomplete.js", type="module")])  # type: ignore[list-item]

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if not key or self._is_key(key)], attr)  # type: ignore[misc]

    def _is_key(self, value: Any) -> bool:
        try:
            self.field.target_field.to_python(value)
        except ValidationError:
            return False
        return "\0" not in str(value)


class CarefulAutocomplete(_Careful, AutocompleteSelect):
    pass


class CarefulAutocompleteMultiple(_Careful, AutocompleteSelectMultiple):
    pass
