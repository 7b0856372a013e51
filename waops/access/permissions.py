"""Grant permissions to groups of staff in migrations.

Django creates content types and permissions after all migrations have run, so a migration that grants them creates the
rows it needs itself.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.migrations import RunPython

SUPPORT, MANAGERS, OPERATORS = "Support", "Managers", "Operators"


def grants(groups: Mapping[str, Iterable[str]]) -> RunPython:
    """Migration operation: give each group permissions named "app_label.view_model", or "app_label.codename"
    of one that a model declares.
    """
    wanted = {group: list(codenames) for group, codenames in groups.items()}

    def forwards(apps: Any, schema_editor: Any) -> None:
        for group, codenames in wanted.items():
            grant(apps, group, codenames)

    def backwards(apps: Any, schema_editor: Any) -> None:
        for group, codenames in wanted.items():
            revoke(apps, group, codenames)

    return RunPython(forwards, backwards)


def grant(apps: Any, group: str, codenames: Iterable[str]) -> None:
    """Give a group those permissions; creates the group if it is missing.

    `apps` is the migration's registry of models. Raises LookupError for a model that does not exist.
    """
    permissions = [_permission(apps, *name.split(".")) for name in codenames]
    group_row, _ = apps.get_model("auth", "Group").objects.get_or_create(name=group)
    group_row.permissions.add(*permissions)


def revoke(apps: Any, group: str, codenames: Iterable[str]) -> None:
    """Reverse `grant`; delete the group if it is left without permissions and members."""
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
    """The permission's row, as `create_permissions` would create it."""
    declared = [one for one in apps.get_app_config(app_label).get_models() if codename in dict(one._meta.permissions)]
    options = (declared[0] if declared else apps.get_model(app_label, codename.rpartition("_")[2]))._meta
    model_name = options.model_name
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
