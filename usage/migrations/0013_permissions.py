from django.db import migrations

from waops.permissions import MANAGERS, OPERATORS, grant, revoke

GRANTS = {
    MANAGERS: [
        *(f"usage.{action}_price" for action in ("view", "add", "change", "delete")),
        *(f"usage.{action}_alertrule" for action in ("view", "add", "change", "delete")),
        "usage.view_quotachange",
        "usage.view_delivery",
    ],
    OPERATORS: ["usage.view_price", "usage.view_alertrule", "usage.view_quotachange", "usage.view_delivery"],
}
QUOTA = {"change_quota", "reset_quota", "export_usage"}
"""What managers may do with a business; permissions of Profile that are not named after it."""


def forwards(apps, schema_editor):
    for group, codenames in GRANTS.items():
        grant(apps, group, codenames)
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="usage", model="profile"
    )
    permission = apps.get_model("auth", "Permission").objects
    managers = apps.get_model("auth", "Group").objects.get(name=MANAGERS)
    for codename, name in apps.get_model("usage", "Profile")._meta.permissions:
        if codename in QUOTA:
            row, _ = permission.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            managers.permissions.add(row)


def backwards(apps, schema_editor):
    for group, codenames in GRANTS.items():
        revoke(apps, group, codenames)
    revoke(apps, MANAGERS, [f"usage.{codename}" for codename in QUOTA])


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0012_count_answers"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
