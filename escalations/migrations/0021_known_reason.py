import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("escalations", "0020_search_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="escalation",
            options={
                "base_manager_name": "objects",
                "managed": False,
                "permissions": [
                    ("resolve_escalation", "Can resolve escalations"),
                    ("reopen_escalation", "Can reopen escalations"),
                    ("claim_escalation", "Can claim, hand over, snooze and annotate escalations"),
                    ("open_escalation", "Can escalate conversations"),
                    ("override_escalation", "Can act on escalations that a colleague has claimed"),
                    ("export_escalation", "Can export cases"),
                ],
                "verbose_name": "escalation",
                "verbose_name_plural": "escalations",
            },
        ),
        migrations.CreateModel(
            name="KnownReason",
            fields=[
                ("reason", models.TextField(primary_key=True, serialize=False, verbose_name="reason")),
                ("accepted_at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
                (
                    "accepted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="accepted by",
                    ),
                ),
            ],
            options={"verbose_name": "known reason", "verbose_name_plural": "known reasons"},
        ),
    ]
