import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from waops.access.permissions import MANAGERS, SUPPORT, grants

CANNED = [
    (
        "Greeting",
        "تحية",
        "Hello {customer}, this is {me} from {business}. How can I help you?",
        "مرحبًا {customer}، معك {me} من {business}. كيف أستطيع مساعدتك؟",
    ),
    (
        "Looking into it",
        "جارٍ التحقق",
        "Thank you for your patience, {customer}. I am looking into it and will write to you shortly.",
        "شكرًا لصبرك {customer}. أتحقق من الأمر الآن وسأكتب لك بعد قليل.",
    ),
    (
        "Anything else?",
        "هل من شيء آخر؟",
        "Is there anything else I can help you with?",
        "هل هناك شيء آخر أستطيع مساعدتك فيه؟",
    ),
]


def fill_canned_replies(apps, schema_editor):
    """Put these rows into the table if it has none."""
    existing = apps.get_model("escalations", "CannedReply").objects.using(schema_editor.connection.alias)
    if not existing.exists():
        existing.bulk_create(
            existing.model(**dict(zip(("title_en", "title_ar", "text_en", "text_ar"), texts)), position=position)
            for position, texts in enumerate(CANNED)
        )



class Migration(migrations.Migration):
    dependencies = [
        ("escalations", "0005_data"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CannedReply",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title_en", models.CharField(max_length=100, verbose_name="title in English")),
                ("title_ar", models.CharField(max_length=100, verbose_name="title in Arabic")),
                ("text_en", models.TextField(max_length=4096, verbose_name="text in English")),
                ("text_ar", models.TextField(max_length=4096, verbose_name="text in Arabic")),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                (
                    "is_active",
                    models.BooleanField(default=True, help_text='Whether staff can choose it.', verbose_name="active"),
                ),
            ],
            options={
                "verbose_name": "canned reply",
                "verbose_name_plural": "canned replies",
                "ordering": ["position", "pk"],
            },
        ),
        migrations.AlterModelOptions(
            name="escalation",
            options={
                "base_manager_name": "objects",
                "managed": False,
                "permissions": [
                    ("resolve_escalation", "Can resolve escalations"),
                    ("reopen_escalation", "Can reopen escalations"),
                    ("claim_escalation", "Can claim, hand over, snooze and annotate escalations"),
                    ("reply_escalation", "Can reply to customers"),
                    ("open_escalation", "Can escalate conversations"),
                    ("override_escalation", "Can act on escalations that a colleague has claimed"),
                    ("export_escalation", 'Can export escalations'),
                ],
                "verbose_name": "escalation",
                "verbose_name_plural": "escalations",
            },
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[("escalated", 'escalated by staff'), ("recovered", "missed escalation added to the queue"), ("claimed", "claimed"), ("handed_over", "handed over"), ("released", "released"), ("lapsed", 'claim expired'), ("snoozed", "snoozed"), ("woken", "woken"), ("replied", "replied"), ("noted", "note"), ("resolved", "resolved"), ("merged", "closed as a duplicate"), ("reopened", "reopened")],
                max_length=20,
                verbose_name="what",
            ),
        ),
        migrations.CreateModel(
            name="Reply",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.UUIDField(
                        help_text="Stays the same when a form is submitted twice.",
                        unique=True,
                        verbose_name="key of the form",
                    ),
                ),
                ("escalation_id", models.UUIDField(verbose_name="escalation")),
                ("instance_id", models.UUIDField(verbose_name="WhatsApp number")),
                ("instance_name", models.TextField(help_text='As it was at that time.', verbose_name="name")),
                ("whatsapp_number", models.TextField(verbose_name="customer")),
                ("text", models.TextField(verbose_name="text")),
                ("author_name", models.TextField(help_text='As it was at that time.', verbose_name="name")),
                (
                    "begun_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="when"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("failed", "not sent"),
                            ("unknown", "unknown"),
                            ("arrived", "confirmed as sent"),
                            ("not_sent", "confirmed as not sent"),
                        ],
                        default="sending",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("why", models.CharField(blank=True, default="", max_length=20, verbose_name="why")),
                ("ended_at", models.DateTimeField(null=True, verbose_name='ended at')),
                (
                    "message_id",
                    models.TextField(help_text="As stored in the conversation.", null=True, verbose_name="message"),
                ),
                (
                    "delivery",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("error", "not delivered"),
                            ("sent", "sent"),
                            ("delivered", "delivered"),
                            ("read", "read"),
                        ],
                        default="",
                        max_length=10,
                        verbose_name="delivery",
                    ),
                ),
                ("decided_by_name", models.TextField(blank=True, default="", verbose_name="decided by")),
                (
                    "again_of",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="again",
                        to="escalations.reply",
                        verbose_name="resent in place of",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
            ],
            options={
                "verbose_name": "reply",
                "verbose_name_plural": "replies",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["instance_id", "whatsapp_number", "begun_at"], name="replies_to_customer"),
                    models.Index(
                        condition=models.Q(("message_id__isnull", False)),
                        fields=["message_id"],
                        name="replies_by_message",
                    ),
                    models.Index(
                        condition=models.Q(("text", ""), _negated=True), fields=["begun_at"], name="replies_with_text"
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["sending", "unknown"])),
                        fields=["begun_at"],
                        name="replies_undecided",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["sending", "unknown"])),
                        fields=("instance_id", "whatsapp_number"),
                        name="one_undecided_reply_per_customer",
                    )
                ],
            },
        ),
        migrations.RunPython(fill_canned_replies, migrations.RunPython.noop),
        grants(
            {
                SUPPORT: ["escalations.reply_escalation"],
                MANAGERS: [
                    "escalations.reply_escalation",
                    *(f"escalations.{verb}_cannedreply" for verb in ("view", "add", "change", "delete")),
                ],
            }
        ),
    ]
