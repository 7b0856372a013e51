"""Choose among many rows with a search box."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.forms import Media
from django.forms.widgets import Script


class _Careful:
    """Django's widget looks up the submitted value before it is validated, which fails for an invalid key,
    and its field has no accessible name in the browser.
    """

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
