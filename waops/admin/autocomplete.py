"""A choice among many rows, searched as one types."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError


class ForgivingAutocomplete(AutocompleteSelect):
    """Django's own, which looks up what was sent before anything has checked it, and so fails on what is no key."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if not key or self._is_key(key)], attr)

    def _is_key(self, value: Any) -> bool:
        try:
            self.field.target_field.to_python(value)
        except ValidationError:
            return False
        return "\0" not in str(value)


class ForgivingAutocompletes(ForgivingAutocomplete, AutocompleteSelectMultiple):
    """For several rows."""
