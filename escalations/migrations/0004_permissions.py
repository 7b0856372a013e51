from django.db import migrations

from waops.access.permissions import MANAGERS, OPERATORS, SUPPORT, grants

SETTINGS = ("closingoutcome", "cannednote", "closingrule", "slatarget", "workingday")


class Migration(migrations.Migration):
    dependencies = [
        ("escalations", "0003_functions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        grants(
            {
                SUPPORT: [
                    *(f"escalations.{verb}_escalation" for verb in ("view", "resolve", "claim", "reopen", "open")),
                    "escalations.view_event",
                    "escalations.add_knownreason",
                ],
                MANAGERS: [
                    *(f"escalations.{verb}_escalation" for verb in ("view", "claim", "override", "export")),
                    "escalations.view_event",
                    "escalations.add_knownreason",
                    *(
                        f"escalations.{verb}_{model}"
                        for model in SETTINGS
                        for verb in ("view", "add", "change", "delete")
                    ),
                ],
                OPERATORS: ["escalations.view_escalation", "escalations.view_event"],
            }
        )
    ]
