"""The four ways people write here: Egyptian, Gulf and standard Arabic, and English."""

from __future__ import annotations

from waops.dev.demo import content_ar as arabic
from waops.dev.demo.content import Voice
from waops.dev.demo.content_ar_long import EGYPTIAN_COMPLAINT, LONG_ANSWER, STANDARD_COMPLAINT
from waops.dev.demo.content_en import ENGLISH

EGYPTIAN = Voice(
    language="ar",
    openings=(arabic.EGYPTIAN_OPENING,),
    exchanges=arabic.EGYPTIAN_EXCHANGES,
    closings=(arabic.THANKS,),
    human_requests=(
        "عايز أكلم حد من خدمة العملاء لو سمحت",
        "ممكن موظف يرد عليا؟ انت مش فاهمني 😡",
        "كلموني على {phone} ضروري",
        "أنا بقالي أسبوع مستني الطلب {order}، عايز المدير",
        "مش عايز رد آلي، عايز بني آدم يرد",
        "فيه {price} اتخصموا مني غلط، حوّلني لحد من الحسابات",
    ),
    waiting=(
        "الو؟؟",
        "حد يرد يا جماعة",
        "لسه مستني…",
        "بقالي ساعة مستني 😤",
        "فيه جديد في {order}؟",
        "تمام هستنى",
        "ضروري والله 🙏",
        "لو محدش رد هلغي الطلب",
    ),
    add_ons=("لو سمحت", "{phone}", "رقم الطلب {order}", "🙏🙏", "العنوان في {city}", "وعايزه قبل يوم {day}"),
    long_question=EGYPTIAN_COMPLAINT,
    long_answer=LONG_ANSWER,
)

GULF = Voice(
    language="ar",
    openings=(arabic.GULF_OPENING,),
    exchanges=arabic.GULF_EXCHANGES,
    closings=(arabic.THANKS,),
    human_requests=(
        "أبغى أكلم موظف الله يعافيك",
        "حولني على خدمة العملاء",
        "ما أبي رد آلي، أبي أحد يكلمني على {phone}",
        "الطلب {order} له أسبوع، وين المسؤول؟ 😡",
        "ما استفدت شي، عطني رقم المدير",
    ),
    waiting=(
        "وينكم؟",
        "يا جماعة أحد يرد",
        "لي ساعة أنتظر 😤",
        "للحين أنتظر",
        "وش صار على {order}؟",
        "طيب بنتظر",
        "مستعجل الله يسعدكم 🙏",
    ),
    add_ons=("لو سمحت", "{phone}", "رقم الطلب {order}", "🙏", "الموقع {city}", "وأبغاه قبل {day}"),
    long_question=STANDARD_COMPLAINT,
    long_answer=LONG_ANSWER,
)

STANDARD = Voice(
    language="ar",
    openings=(arabic.STANDARD_OPENING,),
    exchanges=arabic.STANDARD_EXCHANGES,
    closings=(arabic.THANKS,),
    human_requests=(
        "أرغب في التحدث مع أحد موظفي خدمة العملاء.",
        "فضلاً تحويلي إلى موظف مختص بخصوص الطلب {order}.",
        "أرجو الاتصال بي على الرقم {phone} في أقرب وقت.",
    ),
    waiting=("هل من مجيب؟", "ما زلت أنتظر الرد.", "ما آخر مستجدات الطلب {order}؟", "الأمر عاجل، شكراً لكم."),
    add_ons=("من فضلكم", "رقم الطلب {order}", "{phone}", "المدينة: {city}"),
    long_question=STANDARD_COMPLAINT,
    long_answer=LONG_ANSWER,
)

VOICES = {"egyptian": EGYPTIAN, "gulf": GULF, "standard": STANDARD, "english": ENGLISH}
