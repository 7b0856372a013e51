"""The part of the README that is measured: between two marks, from the result alone."""

from pathlib import Path

from waops.benchmark import report
from waops.benchmark.errors import BenchmarkError
from waops.benchmark.findings import Result

BEGIN, END = "<!-- begin: written by manage.py benchmark -->", "<!-- end -->"


def update(result: Result, readme: Path, written: Path) -> None:
    """Replace what is between the marks of `readme`; `written` is the report. Raises BenchmarkError."""
    before, after = around(readme)
    folder = written.parent.resolve().relative_to(readme.parent.resolve()).as_posix()
    readme.write_text(before + part(result, folder) + after, encoding="utf-8")


def around(readme: Path) -> tuple[str, str]:
    """What is before and after the part, marks included. Raises BenchmarkError if the marks are missing."""
    before, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchmarkError(f"{readme} has no place for the result. It needs two lines, {BEGIN} and {END}.")
    return before + begin, end + after


def part(result: Result, folder: str) -> str:
    """Markdown; `folder` is where the report is, as seen from the README."""
    return f"\n\n{report.summary(result, f'{folder}/{report.IMAGES}')}\n\n"
