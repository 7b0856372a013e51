"""Every address of the app, read from the URL configuration, with rows of the database in the place of parameters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from conversations.models import Conversation
from escalations.attention.findings import Kind
from waops.models import User


@dataclass(frozen=True)
class Address:
    """One entry of the URL configuration: `name` as `reverse` takes it, and the type of each parameter by its name."""

    name: str
    parameters: dict[str, str]

    def path(self, *values: str) -> str:
        """With these values in the place of the parameters, as a browser would ask for them."""
        blanks = [_blank(number, *parameter) for number, parameter in enumerate(self.parameters.items())]
        path = reverse(self.name, args=blanks)
        for blank, value in zip(blanks, values, strict=True):
            path = path.replace(blank, quote(value.encode("utf-8", "surrogatepass"), safe="/"), 1)
        return path

    def real(self) -> str | None:
        """With a row that there is; None where there is none."""
        values = [self._value(parameter) for parameter in self.parameters]
        return None if None in values else self.path(*map(str, values))

    def model(self) -> type[models.Model] | None:
        """Whose rows it is about."""
        if self.name == "admin:auth_user_password_change":
            return User
        for model in admin.site._registry:
            options = model._meta
            if self.name.startswith(f"admin:{options.app_label}_{options.model_name}_"):
                return model
        return None

    def _value(self, parameter: str) -> Any:
        if parameter == "app_label":
            return "conversations"
        if parameter == "kind":
            return Kind.MISSED.slug
        if parameter == "reply":
            return 1
        if parameter == "content_type_id":
            return ContentType.objects.values_list("pk", flat=True).first()
        model = Conversation if parameter == "conversation" else self.model()
        return model and model._base_manager.values_list("pk", flat=True).order_by("-pk").first()


BLANKS = {"UUIDConverter": "11111111-1111-4111-8111-11111111111{}", "IntConverter": "3333333{}"}
"""Values that parameters of a type take, to be replaced in the finished path."""


def _blank(number: int, name: str, kind: str) -> str:
    """Found nowhere else in a path. Only the index of an app must name one, and its path holds nothing more."""
    return "conversations" if name == "app_label" else BLANKS.get(kind, "blank-{}").format(number)


def addresses() -> list[Address]:
    return [Address(name, parameters) for name, parameters in _walk(get_resolver())]


def _walk(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _walk(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)
        elif isinstance(entry, URLPattern) and entry.name:
            types = {name: type(converter).__name__ for name, converter in entry.pattern.converters.items()}
            yield f"{namespace}{entry.name}", {name: types.get(name, "") for name in entry.pattern.regex.groupindex}
