from django.db import migrations

from waops.access.permissions import MANAGERS, OPERATORS, grants

EVERYTHING = ("view", "add", "change", "delete")


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0003_functions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    # Support sees the names of businesses wherever they appear, but not what they pay for.
    operations = [
        grants(
            {
                MANAGERS: [
                    "usage.view_profile",
                    "usage.change_quota",
                    "usage.reset_quota",
                    "usage.export_usage",
                    "usage.view_quotachange",
                    "usage.view_delivery",
                    *(f"usage.{verb}_{model}" for model in ("price", "alertrule") for verb in EVERYTHING),
                ],
                OPERATORS: [
                    "usage.view_profile",
                    "usage.view_price",
                    "usage.view_alertrule",
                    "usage.view_quotachange",
                    "usage.view_delivery",
                ],
            }
        )
    ]
