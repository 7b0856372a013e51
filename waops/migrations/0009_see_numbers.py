from django.db import migrations

from waops.permissions import MANAGERS, SUPPORT

CODENAME = "see_numbers"


def forwards(apps, schema_editor):
    """To those who speak with customers and with businesses. Operators look after the database."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="waops", model="user"
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type,
        codename=CODENAME,
        defaults={"name": dict(apps.get_model("waops", "User")._meta.permissions)[CODENAME]},
    )
    for name in (SUPPORT, MANAGERS):
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(permission)


def backwards(apps, schema_editor):
    apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="waops", codename=CODENAME
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("waops", "0008_incident_acknowledged"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [("see_numbers", "Can see phone numbers in full")],
                "verbose_name": "user",
                "verbose_name_plural": "users",
            },
        ),
        migrations.AlterModelManagers(name="user", managers=[]),
        migrations.RunPython(forwards, backwards),
    ]
