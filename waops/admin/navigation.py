"""The navigation: pages in four groups, the last two folded. Admins set `navigation` to join a group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DEFAULT = "settings"
FOLDED = {"records", "settings"}


@dataclass
class Group:
    """One heading and its pages, in the form of Django's list of applications."""

    name: "StrOrPromise"
    is_folded: bool
    pages: list[dict[str, Any]] = field(default_factory=list)


def groups(apps: Iterable[Mapping[str, Any]], admins: Mapping[Any, "ModelAdmin[Any]"]) -> list[Group]:
    """The groups that contain a page, in order; pages in the order of `apps`."""
    names = {"work": _("Work"), "businesses": _("Businesses"), "records": _("Records"), "settings": _("Settings")}
    found = {key: Group(name, key in FOLDED) for key, name in names.items()}
    for app in apps:
        for page in app["models"]:
            if page["admin_url"]:
                admin = admins[page["model"]]
                page["icon"] = getattr(admin, "icon", "")
                found[getattr(admin, "navigation", DEFAULT)].pages.append(page)
    return [group for group in found.values() if group.pages]
