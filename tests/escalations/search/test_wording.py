"""What is typed, how it is spelt, and how a match is shown. None of this needs a database."""

import importlib
import re

import pytest

from escalations.folding import FOLDED, FROM, TO, fold, fold_with_places
from escalations.search.wording import Wording, snippet


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("أحمد إسلام آمال ٱلله", "احمد اسلام امال الله"),
        ("منى فاطمة", "مني فاطمه"),
        ("مُحَمَّدٌ", "محمد"),
        ("طلــــب", "طلب"),
        ("\u06a9\u062a\u0627\u0628\u06cc", "كتابي"),
        ("طلب ١٢٣ و۴۵۶", "طلب 123 و 456"),
        ("FS-19450 TR48682 ٣.٥ +20", "fs- 19450 tr 48682 3. 5 + 20"),
        ("وصل؟ نعم، شكرا؛", "وصل  نعم  شكرا "),
        ("ORDER Nº Straße", "order nº straße"),
    ],
)
def test_written_variants_fold_to_one_spelling(written, folded) -> None:
    assert fold(written) == folded


def test_the_indexes_fold_as_the_queries_do() -> None:
    migration = importlib.import_module("escalations.migrations.0002_indexes")
    assert (migration.VARIANTS, migration.FOLDED) == (FROM, TO)
    number = re.search(r"translate.*\), (.*)\)", FOLDED, re.DOTALL)
    assert number
    assert "".join(number[1].split()) in "".join(migration.WORDS.split())


def test_places_lead_back_to_the_text_as_written() -> None:
    text = "مُحَمَّد İ"
    folded, places = fold_with_places(text)
    assert folded.startswith("محمد")
    assert len(folded) == len(places)
    assert [text[place] for place in places[:4]] == list("محمد")


@pytest.mark.parametrize(
    ("text", "tsquery"),
    [
        ("طلب", "'طلب':*"),
        ("أين طلبي؟", "'اين':* & 'طلبي':*"),
        ("a to order", "'a' & 'to' & 'order':*"),
        ("order order", "'order':*"),
        ("O'Brien \\ & | ! <-> :*", "'o''brien':*"),
        ("?!", ""),
        ("", ""),
        ("mona@example.com", "'mona@example.com':*"),
        ("FS-19450", "'fs' & '19450':*"),
        ("tr48682", "'tr' & '48682':*"),
        ("TR ٤٨٦٨٢", "'tr' & '48682':*"),
    ],
)
def test_words_become_a_query_that_means_nothing_else(text, tsquery) -> None:
    assert Wording(text).tsquery == tsquery


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+20 101 234 5678", "201012345678"),
        ("0020-101-234-5678", "201012345678"),
        ("٢٠١٠١٢٣٤٥٦٧٨", "201012345678"),
        ("5678", "5678"),
        ("678", ""),
        ("0678", ""),
        ("5678 mona", ""),
        ("mona", ""),
    ],
)
def test_a_number_is_read_in_any_written_form(text, number) -> None:
    assert Wording(text).number == number


def shown(text: str, *words: str) -> str:
    return "".join(f"[{piece.text}]" if piece.is_match else piece.text for piece in snippet(text, words))


def test_a_match_is_marked_as_it_was_written() -> None:
    assert shown("أهلاً يا أُستاذ محمد", "استاذ") == "أهلاً يا [أُستاذ] محمد"
    assert shown("شكراً", "شكرا") == "[شكراً]"
    assert shown("Where is my ORDER? The order!", "order") == "Where is my [ORDER]? The [order]!"
    assert shown("order #FS-19450, FS19450", "fs", "19450") == "order #[FS]-[19450], [FS][19450]"
    assert shown("order #FS-19450, FS19450", "19450") == "order #FS-[19450], FS[19450]"
    assert shown("طلبات border", "طلب", "order") == "[طلبات] border"


def test_a_long_text_is_cut_around_the_first_match() -> None:
    found = shown("x " * 5_000 + "needle" + " y" * 5_000, "needle")
    assert found.startswith("… ")
    assert "[needle]" in found
    assert found.endswith(" …")
    assert len(found) < 260


@pytest.mark.parametrize("text", ["", "a" * 20_000, "\u064b" * 300, "needle" * 3_000, "\0\u202e"])
def test_text_of_any_shape_has_a_snippet(text) -> None:
    assert len(shown(text, "needle", "a")) < 310
