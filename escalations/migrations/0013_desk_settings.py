from datetime import time

from django.db import migrations

from waops.permissions import MANAGERS, SUPPORT, grant, revoke

SETTINGS = ("closingoutcome", "cannednote", "closingrule", "waittarget", "workingday")
GRANTS = {
    SUPPORT: [f"escalations.{verb}_escalation" for verb in ("claim", "reopen", "open")],
    MANAGERS: [
        *(f"escalations.{verb}_escalation" for verb in ("claim", "override")),
        *(f"escalations.{verb}_{model}" for model in SETTINGS for verb in ("view", "add", "change", "delete")),
    ],
}

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


def forwards(apps, schema_editor):
    def model(name):
        return apps.get_model("escalations", name).objects

    for group, codenames in GRANTS.items():
        grant(apps, group, codenames)
    for position, (code, english, arabic) in enumerate(OUTCOMES):
        model("ClosingOutcome").create(code=code, name_en=english, name_ar=arabic, position=position)
    for position, (title_en, title_ar, text_en, text_ar) in enumerate(NOTES):
        model("CannedNote").create(
            title_en=title_en, title_ar=title_ar, text_en=text_en, text_ar=text_ar, position=position
        )
    for plan_type, warn, breach in TARGETS:
        model("WaitTarget").create(plan_type=plan_type, warn_minutes=warn, breach_minutes=breach)
    for weekday in SUNDAY_TO_THURSDAY:
        model("WorkingDay").create(weekday=weekday, begins=time(9), ends=time(17))


def backwards(apps, schema_editor):
    """The rows go with their tables."""
    for group, codenames in GRANTS.items():
        revoke(apps, group, codenames)
    for name in ("ClosingOutcome", "CannedNote", "WaitTarget", "WorkingDay"):
        apps.get_model("escalations", name).objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("escalations", "0012_escalate"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
