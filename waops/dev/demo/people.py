"""Customers: name, phone number, and what their messages mention."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from waops.dev.demo.content import Voice
from waops.dev.demo.content_en import ENGLISH
from waops.dev.demo.sectors import Sector
from waops.dev.demo.voices import VOICES

ARABIC_FIRST_NAMES = (
    "أحمد", "محمد", "محمود", "مصطفى", "عمر", "يوسف", "خالد", "عبدالله", "فهد", "سلطان", "ياسين", "كريم", "طارق", "حسام",
    "فاطمة", "مريم", "سارة", "نورة", "هند", "منى", "ريم", "دينا", "آية", "شيماء", "لطيفة", "موضي", "أسماء", "إيمان",
)  # fmt: skip
ARABIC_LAST_NAMES = (
    "السيد", "عبد الرحمن", "حسن", "إبراهيم", "الشافعي", "العتيبي", "القحطاني", "الشمري", "الحربي", "الهاشمي", "منصور",
    "البدوي", "فؤاد", "الغامدي", "المطيري", "النجار", "زكي", "صبري", "الكعبي", "العنزي",
)  # fmt: skip
ENGLISH_FIRST_NAMES = (
    "Ahmed", "Sara", "Omar", "Mona", "James", "Emily", "Priya", "Rahul", "Layla", "Daniel", "Grace", "Nadia", "Peter",
    "Aisha", "Hannah", "Youssef", "Maria", "John",
)  # fmt: skip
ENGLISH_LAST_NAMES = (
    "Hassan", "Smith", "Khan", "Fernandes", "O'Brien", "Patel", "Mansour", "Taylor", "Reyes", "Ibrahim", "Brown",
)  # fmt: skip

ARABIC_DAYS = ("السبت", "الأحد", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة")
ENGLISH_DAYS = ("Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
HOURS = ("10:30", "11:00", "12:15", "13:00", "16:30", "18:00", "19:45", "21:00")


@dataclass(frozen=True, slots=True)
class Country:
    """Dialling prefixes (digits without `+`), the number of digits that follow, and currency and cities in both
    languages."""

    voice: str
    prefixes: tuple[str, ...]
    digits: int
    currency: tuple[str, str]
    rate: float
    cities: tuple[tuple[str, str], ...]


EGYPT = Country(
    "egyptian",
    ("2010", "2011", "2012", "2015"),
    8,
    ("جنيه", "EGP"),
    1.0,
    (
        ("القاهرة", "Cairo"), ("مدينة نصر", "Nasr City"), ("الإسكندرية", "Alexandria"), ("المنصورة", "Mansoura"),
        ("طنطا", "Tanta"), ("6 أكتوبر", "6th of October"), ("التجمع الخامس", "New Cairo"), ("أسيوط", "Assiut"),
    ),
)  # fmt: skip
SAUDI_ARABIA = Country(
    "gulf",
    ("96650", "96653", "96655", "96656"),
    7,
    ("ريال", "SAR"),
    0.08,
    (("الرياض", "Riyadh"), ("جدة", "Jeddah"), ("الدمام", "Dammam"), ("مكة", "Makkah"), ("بريدة", "Buraydah")),
)
EMIRATES = Country(
    "gulf",
    ("97150", "97152", "97156"),
    7,
    ("درهم", "AED"),
    0.08,
    (("دبي", "Dubai"), ("أبوظبي", "Abu Dhabi"), ("الشارقة", "Sharjah"), ("العين", "Al Ain")),
)
KUWAIT = Country(
    "gulf",
    ("9655", "9656", "9659"),
    7,
    ("د.ك", "KWD"),
    0.01,
    (("الكويت", "Kuwait City"), ("حولي", "Hawally"), ("السالمية", "Salmiya")),
)
JORDAN = Country(
    "standard",
    ("96277", "96278", "96279"),
    7,
    ("دينار", "JOD"),
    0.02,
    (("عمّان", "Amman"), ("إربد", "Irbid"), ("الزرقاء", "Zarqa")),
)
COUNTRIES = (EGYPT, SAUDI_ARABIA, EMIRATES, KUWAIT, JORDAN)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer; `fields` are the values for the templates of their `voice`."""

    phone: str
    name: str
    voice: Voice
    fields: dict[str, str]


def full_name(rng: Random, language: str) -> str:
    """A first and a last name in `language` ("ar" or "en")."""
    if language == "ar":
        return f"{rng.choice(ARABIC_FIRST_NAMES)} {rng.choice(ARABIC_LAST_NAMES)}"
    return f"{rng.choice(ENGLISH_FIRST_NAMES)} {rng.choice(ENGLISH_LAST_NAMES)}"


def phone_number(rng: Random, country: Country) -> str:
    """International digits without `+`, as the service stores them."""
    return f"{rng.choice(country.prefixes)}{rng.randrange(10**country.digits):0{country.digits}d}"


def customer_id(rng: Random, country: Country) -> str:
    """A phone number or, once in about 150, the id that WhatsApp uses for a hidden number."""
    if rng.random() < 1 / 150:
        return f"{rng.randrange(10**14, 10**15)}@lid"
    return phone_number(rng, country)


def make_customer(
    rng: Random, phone: str, country: Country, sector: Sector, business_name: str, mostly: str
) -> Customer:
    """A customer of a business in this `sector`, whose customers write `mostly` in one language."""
    language = mostly if rng.random() < 0.88 else ("en" if mostly == "ar" else "ar")
    voice = ENGLISH if language == "en" else VOICES[country.voice]
    column = 0 if language == "ar" else 1
    product, other = rng.sample(sector.products, 2)
    price = max(1, round(product.price * country.rate / 5) * 5)
    amount = f"{price:,}"
    currency = country.currency[column]
    name = full_name(rng, language)
    fields = {
        "name": name.split(" ", 1)[0],
        "business": business_name,
        "product": product.names[column],
        "other_product": other.names[column],
        "price": f"{amount} {currency}" if language == "ar" else f"{currency} {amount}",
        "order": f"#{sector.order_prefix}-{rng.randrange(10_000, 99_999)}",
        "phone": f"+{phone}" if phone.isdigit() else phone_number(rng, country),
        "city": rng.choice(country.cities)[column],
        "day": rng.choice(ARABIC_DAYS if language == "ar" else ENGLISH_DAYS),
        "hour": rng.choice(HOURS),
    }
    return Customer(phone, name, voice, fields)
