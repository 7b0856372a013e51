"""Write the measured part of a README, in English or Arabic: five figures, between two marks."""

from pathlib import Path

from waops.dev.benchmark.errors import BenchmarkError
from waops.dev.benchmark.findings import Result, count, percent, ratio, served
from waops.dev.benchmark.plots import number
from waops.dev.benchmark.sections import table

BEGIN, END = "<!-- begin: written by manage.py benchmark -->", "<!-- end -->"

HEAD = {"en": ("", "before", "after", "change"), "ar": ("", "قبل", "بعد", "التغيّر")}
WORDS = {
    "response": {
        "en": "Time a message and its reply wait for the database, ms",
        "ar": "انتظار الرسالة وردّها لقاعدة البيانات (ملّي ثانية)",
    },
    "queries": {"en": "Queries per message and reply", "ar": "الاستعلامات لكل رسالة وردّها"},
    "rate": {"en": "Messages per second", "ar": "الرسائل في الثانية"},
    "cpu": {
        "en": "Database CPU per message and reply, ms",
        "ar": "معالج قاعدة البيانات لكل رسالة وردّها (ملّي ثانية)",
    },
    "conversations": {
        "en": "Concurrent conversations served within 50 ms",
        "ar": "المحادثات المتزامنة التي تُخدم في حدود 50 ملّي ثانية",
    },
}


def update(result: Result, readmes: list[Path]) -> None:
    """Replace what is between the marks of each README. Raises BenchmarkError."""
    for readme in readmes:
        before, after = around(readme)
        language = "ar" if ".ar" in readme.suffixes else "en"
        readme.write_text(before + part(result, language) + after, encoding="utf-8")


def around(readme: Path) -> tuple[str, str]:
    """The text before and after the measured part, marks included. Raises BenchmarkError if the marks are missing."""
    before, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchmarkError(f"{readme} has no place for the result. Add two lines to it: {BEGIN} and {END}.")
    return before + begin, end + after


def part(result: Result, language: str) -> str:
    """Markdown: a table of up to five figures, then when and where they were measured."""
    machine = result["machine"]
    day, processors = machine["at"][:10], machine["processors"]
    when = {
        "en": f"Measured on {day} with {processors} processors, in conversations of {result['gain']['kind']} messages.",
        "ar": f"قيست في {day}. عدد المعالجات: {processors}، ورسائل كل محادثة: {result['gain']['kind']}.",
    }
    return f"\n\n{table(HEAD[language], _rows(result, language))}\n\n{when[language]}\n\n"


def _rows(result: Result, language: str) -> list[tuple[str, str, str, str]]:
    """What a result lacks is left out."""
    figures, counted = result["gain"]["figures"], result["gain"]["statements"]
    found = []
    for name, key in (("response", "message_ms"), ("queries", ""), ("rate", "messages_per_second"), ("cpu", "cpu_ms")):
        if key and key not in figures:
            continue
        before, after = (figures[key][path]["median"] if key else counted[path] for path in ("before", "after"))
        shown = number if key else count
        change = ratio if name == "rate" else percent
        found.append((WORDS[name][language], shown(before), shown(after), change(before, after)))
    if result.get("concurrency"):
        before, after = served(result, "before"), served(result, "after")
        found.append((WORDS["conversations"][language], f"{before:,}", f"{after:,}", ratio(before, after)))
    return found
