"""The trades of the businesses: names, products, and the personalities of their AI."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """`names` in Arabic and English; `price` in Egyptian pounds."""

    names: tuple[str, str]
    price: int


@dataclass(frozen=True, slots=True)
class Sector:
    """A trade. `brands` are (Arabic, English) pairs; the English one also names the WhatsApp instance."""

    key: str
    order_prefix: str
    trade: tuple[str, str]
    brands: tuple[tuple[str, str], ...]
    products: tuple[Product, ...]


def _products(*rows: tuple[str, str, int]) -> tuple[Product, ...]:
    return tuple(Product((arabic, english), price) for arabic, english, price in rows)


SECTORS = (
    Sector(
        "perfume",
        "PF",
        ("متجر عطور وبخور", "a perfume and incense shop"),
        (("نور للعطور", "Nour Perfumes"), ("دار العود", "Dar Al Oud"), ("مسك الخليج", "Gulf Musk")),
        _products(
            ("عطر Oud Royal 100ml", "Oud Royal 100 ml", 1850),
            ("دهن عود كمبودي ربع تولة", "Cambodian oud oil, ¼ tola", 3200),
            ("بخور معمول فاخر", "Luxury bukhoor maamoul", 650),
            ("طقم هدايا Musk & Rose", "Musk & Rose gift set", 2400),
            ("مبخرة إلكترونية USB", "USB incense burner", 780),
        ),
    ),
    Sector(
        "electronics",
        "EL",
        ("متجر إلكترونيات وموبايلات", "an electronics and mobile phone shop"),
        (("تك زون", "Tech Zone"), ("موبايلي ستور", "Mobily Store"), ("الرقمية للإلكترونيات", "Digital House")),
        _products(
            ("سماعة Anker Soundcore Q30", "Anker Soundcore Q30 headphones", 3950),
            ("آيفون 15 برو 256GB", "iPhone 15 Pro 256 GB", 58500),
            ("شاحن Samsung 45W USB-C", "Samsung 45 W USB-C charger", 1150),
            ("ساعة Xiaomi Watch S3", "Xiaomi Watch S3", 6200),
            ("لابتوب Lenovo IdeaPad Slim 3", "Lenovo IdeaPad Slim 3 laptop", 24900),
        ),
    ),
    Sector(
        "clinic",
        "CL",
        ("عيادة أسنان", "a dental clinic"),
        (
            ("عيادات ابتسامة", "Ebtesama Dental"),
            ("مركز د. هالة للأسنان", "Dr Hala Dental Center"),
            ("سمايل بلس", "Smile Plus"),
        ),
        _products(
            ("تنظيف وتلميع الأسنان", "Scaling and polishing", 600),
            ("تبييض Zoom", "Zoom whitening", 4500),
            ("زراعة سن Straumann", "Straumann implant", 18000),
            ("تقويم شفاف Invisalign", "Invisalign clear aligners", 65000),
            ("حشو عصب", "Root canal treatment", 2500),
        ),
    ),
    Sector(
        "fashion",
        "FS",
        ("متجر أزياء وعبايات", "a fashion and abaya shop"),
        (("أناقة بوتيك", "Anaqa Boutique"), ("عبايات ليالي", "Layali Abayas"), ("كوتون هاوس", "Cotton House")),
        _products(
            ("عباية كريب Classic مقاس M", "Classic crepe abaya, size M", 1900),
            ("فستان سهرة Sofia", "Sofia evening dress", 4200),
            ("طقم رياضي قطن Oversize", "Oversize cotton tracksuit", 1250),
            ("شنطة جلد Tote", "Leather tote bag", 2100),
            ("حجاب شيفون قطعتين", "Chiffon scarf, pack of two", 350),
        ),
    ),
    Sector(
        "restaurant",
        "RS",
        ("مطعم وتوصيل طلبات", "a restaurant with delivery"),
        (("مشويات البلد", "El Balad Grill"), ("برجر لاب", "Burger Lab"), ("بيت المندي", "Mandi House")),
        _products(
            ("وجبة مشاوي عائلية", "Family mixed grill", 980),
            ("Double Smash Burger كومبو", "Double Smash Burger combo", 285),
            ("نص ذبيحة مندي", "Half lamb mandi", 4600),
            ("صينية بيتزا Party", "Party pizza tray", 520),
            ("كنافة بالمانجو", "Mango kunafa", 240),
        ),
    ),
    Sector(
        "academy",
        "AC",
        ("أكاديمية تدريب ودورات أونلاين", "an academy of online courses"),
        (("أكاديمية خطوة", "Khatwa Academy"), ("سكيلز هَب", "Skills Hub"), ("كود العرب", "Arab Code")),
        _products(
            ("دورة Full-Stack Web", "Full-Stack Web course", 7500),
            ("كورس IELTS مكثف", "Intensive IELTS course", 3200),
            ("دبلومة HR معتمدة", "Certified HR diploma", 5400),
            ("دورة Photoshop للمبتدئين", "Photoshop for beginners", 1200),
            ("كورس Excel متقدم", "Advanced Excel course", 950),
        ),
    ),
    Sector(
        "cars",
        "CR",
        ("مركز صيانة سيارات", "a car service centre"),
        (("كار كير", "Car Care"), ("الخبير لصيانة السيارات", "Expert Auto Service"), ("أوتو فيكس", "Auto Fix")),
        _products(
            ("تغيير زيت Mobil 1 5W-30", "Mobil 1 5W-30 oil change", 2300),
            ("طقم تيل فرامل Brembo", "Brembo brake pads", 4100),
            ("بطارية Varta 70Ah", "Varta 70 Ah battery", 5200),
            ("كشف كمبيوتر OBD", "OBD computer check", 400),
            ("فلتر مكيف Bosch", "Bosch cabin filter", 650),
        ),
    ),
    Sector(
        "travel",
        "TR",
        ("مكتب سياحة وعمرة", "a travel and umrah agency"),
        (("رحلات المدينة", "Madinah Trips"), ("سكاي تورز", "Sky Tours"), ("وجهتي للسفر", "Wejhaty Travel")),
        _products(
            ("برنامج عمرة 10 أيام", "10-day umrah package", 32000),
            ("رحلة شرم الشيخ 4 أيام All Inclusive", "Sharm El Sheikh, 4 days all inclusive", 14500),
            ("تذكرة القاهرة - جدة", "Cairo–Jeddah ticket", 9800),
            ("تأشيرة Schengen", "Schengen visa service", 6500),
            ("جولة إسطنبول وطرابزون", "Istanbul and Trabzon tour", 41000),
        ),
    ),
)
