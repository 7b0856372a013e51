from django.db import migrations

from waops.access.permissions import MANAGERS, OPERATORS, SUPPORT, grants


class Migration(migrations.Migration):
    dependencies = [
        ("waops", "0002_functions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        grants(
            {
                # People who talk to customers and businesses see numbers. Operators maintain the database.
                SUPPORT: ["waops.see_numbers"],
                MANAGERS: ["waops.see_numbers"],
                OPERATORS: [
                    "waops.view_installedobject",
                    "waops.view_archivedrow",
                    "waops.view_operations",
                    "waops.change_operations",
                ],
            }
        )
    ]
