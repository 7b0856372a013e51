from datetime import time

from django.db import migrations

OUTCOMES = [
    ("answered", "Answered", "تم الرد"),
    ("sold", "Sold", "تم البيع"),
    ("passed-on", "Passed on to the business", "أُحيل إلى النشاط التجاري"),
    ("no-reply", "Customer does not reply", "العميل لا يرد"),
    ("unwanted", "Unwanted message", "رسالة غير مرغوب فيها"),
]
NOTES = [
    (
        "Answered on WhatsApp",
        "تم الرد عبر واتساب",
        "Answered the customer on WhatsApp; nothing is left to do.",
        "رددنا على العميل عبر واتساب، ولم يبق شيء مطلوب.",
    ),
    (
        "Called the customer",
        "اتصلنا بالعميل",
        "Called the customer and answered the question.",
        "اتصلنا بالعميل وأجبنا عن سؤاله.",
    ),
    (
        "Waiting for the business",
        "في انتظار النشاط التجاري",
        "The business has to decide; told the customer that we will write again.",
        "القرار للنشاط التجاري، وأبلغنا العميل بأننا سنكتب له مرة أخرى.",
    ),
]
TARGETS = [("", 60, 240), ("Growth", 30, 120), ("Authority", 15, 60)]
SUNDAY_TO_THURSDAY = (6, 0, 1, 2, 3)


def fill(name, rows):
    """Put these rows into the model's table if it has none. Reversing keeps them: they go with the table."""

    def create(apps, schema_editor):
        model = apps.get_model("escalations", name)
        existing = model.objects.using(schema_editor.connection.alias)
        if not existing.exists():
            existing.bulk_create(model(**row) for row in rows)

    return migrations.RunPython(create, migrations.RunPython.noop)


class Migration(migrations.Migration):
    dependencies = [("escalations", "0004_permissions")]

    # One operation for each table: repair_schema fills a table that was lost, and no other.
    operations = [
        fill(
            "ClosingOutcome",
            [
                {"code": code, "name_en": english, "name_ar": arabic, "position": position}
                for position, (code, english, arabic) in enumerate(OUTCOMES)
            ],
        ),
        fill(
            "CannedNote",
            [
                dict(zip(("title_en", "title_ar", "text_en", "text_ar"), texts, strict=True), position=position)
                for position, texts in enumerate(NOTES)
            ],
        ),
        fill(
            "SLATarget",
            [
                {"plan_type": plan_type, "warn_minutes": warn, "breach_minutes": breach}
                for plan_type, warn, breach in TARGETS
            ],
        ),
        fill(
            "WorkingDay",
            [{"weekday": weekday, "begins": time(9), "ends": time(17)} for weekday in SUNDAY_TO_THURSDAY],
        ),
    ]
