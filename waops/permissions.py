"""Groups of staff, made by migrations.

Django makes its rows of content types and permissions after all migrations have run; a migration that grants them
makes those it needs itself, the same rows.
"""

from collections.abc import Iterable
from typing import Any

SUPPORT, MANAGERS, OPERATORS = "Support", "Managers", "Operators"


def grant(apps: Any, group: str, codenames: Iterable[str]) -> None:
    """Give a group, made if absent, permissions named "app_label.view_model" (or a custom "app_label.codename").

    `apps` is the migration's registry of models. Raises LookupError for a model that does not exist.
    """
    permissions = [_permission(apps, *name.split(".")) for name in codenames]
    group_row, _ = apps.get_model("auth", "Group").objects.get_or_create(name=group)
    group_row.permissions.add(*permissions)


def revoke(apps: Any, group: str, codenames: Iterable[str]) -> None:
    """The reverse of `grant`; a group left with no permission and no member goes."""
    group_row = apps.get_model("auth", "Group").objects.filter(name=group).first()
    if group_row is None:
        return
    for name in codenames:
        app_label, codename = name.split(".")
        group_row.permissions.remove(
            *group_row.permissions.filter(content_type__app_label=app_label, codename=codename)
        )
    if not group_row.permissions.exists() and not group_row.user_set.exists():
        group_row.delete()


def _permission(apps: Any, app_label: str, codename: str) -> Any:
    """The permission's row, as `create_permissions` would make it."""
    model_name = codename.rpartition("_")[2]
    options = apps.get_model(app_label, model_name)._meta
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=app_label, model=model_name
    )
    names = {
        f"{action}_{model_name}": f"Can {action} {options.verbose_name_raw}"
        for action in ("add", "change", "delete", "view")
    }
    names |= dict(options.permissions)
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": names[codename]}
    )
    return permission
