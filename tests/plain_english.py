"""Find wording that a native speaker would not use. Run with `python -m tests.plain_english`; part of `make check`.

Reads strings, docstrings, comments and test names of Python, comments of SQL files, the text of templates, scripts and
documents, and the Arabic of the catalogue. Prose linters read documents only; most of our text is strings in code.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

LOOKED_AT = [
    ".env.example",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "benchmarks",
    "conversations",
    "docs",
    "escalations",
    "gunicorn.conf.py",
    "templates",
    "tests",
    "usage",
    "waops",
]
"""Files and folders, without migrations."""

AVOID = {
    r"whoever": "anyone who, the person who, or name the role",
    r"what (is|was|are) (?!out )(\w+ ){1,2}of": "name the thing",
    r"(has|have|had) not(?=[.,;:)]|$)": "lacks, has no …",
    r"(no|some)body": "no one, someone, or name the role",
    r"lest": "so that … does not",
    r"alike": "both … and …",
    r"beside (it|them|this|that|each)": "next to it, with it",
    r"of (its|their|our|his|her|your) own": "its own …, separate",
    r"no more(?=[.,;:)]|$)": "no longer",
    r"anew": "again",
    r"set right": "fixed",
    r"closed along": "closed too",
    r"stood": "was",
    r"dear": "expensive",
    r"ghosts?": "missed escalation",
    r"cure[sd]?": "fix",
    r"ready-made": "canned",
    r"whom": "who",
    r"shall": "will, must",
    r"told apart": "distinguished",
    r"waiting target": "SLA target",
    r"share of calls": "rollout percentage",
    r"old path": "legacy path",
    r"as yet": "yet, so far",
    r"any more(?=[.,;:)]|$)": "no longer",
    r"meanwhile(?=[.,;:)]|$)": "in the meantime",
    r"lately": "recently",
    r"humans?(?![-/])": "person",
    r"answers? of the AI": "AI reply",
    r"stands? in (a|the|our|its)": "is in",
    r"what is no(?! longer)": "an invalid …, anything that is not …",
    r"everything of": "all of, everything that … has",
    r"without end": "endlessly, without limit",
    r"told from": "distinguished from",
    r"past the cache": "without the cache",
    r"the log tells": "is logged",
    r"triggers? of (that|this) table": "trigger on that table",
}
"""Regular expressions of words, each with what to write instead. A space matches any white space."""

QUOTED = {
    "tests/escalations/procedures/test_resolve.py": {"somebody"},
    "tests/usage/test_alerts.py": {"nobody"},
    "tests/waops/accounts/test_history.py": {"nobody"},
    "waops/dev/demo/businesses.py": {"human", "somebody"},
    "waops/dev/demo/content_en.py": {"human", "nobody", "ready-made", "shall", "somebody"},
    "usage/access_admin.py": {"whom"},
    "waops/admin/borrowed_words.py": {"whom"},
    "waops/database/programs.py": {"nobody"},
}
"""By file, words that it quotes from others."""

PATTERN = re.compile(
    "|".join(rf"(?P<p{number}>\b{words}\b)".replace(" ", r"\s+") for number, words in enumerate(AVOID)),
    re.IGNORECASE,
)
LATIN_MARK = re.compile(r"[\u0621-\u0652][»”)]*[,;?](?=[\s\"]|$)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
SQL = re.compile(r"^(?!--).*$|^-- ?", re.MULTILINE)
"""All but the comments that explain a statement. Those inside of functions are part of what is installed."""
SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n\s*\n|[%#}]}|[<>]|{[%#{]|\" |\| ")

TEXT = {".html", ".md", ".js", ".css", ".ts", ".sql", ".example"}
SKIPPED = {"migrations", "staticfiles", "__pycache__", "node_modules", "fonts"}

Block = tuple[int, str]
"""The line it starts on, and its text."""


def blocks(path: Path) -> Iterator[Block]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield 1, SQL.sub("", text)
        return
    if path.suffix != ".py":
        yield 1, text
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")
    start, lines = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if lines and token.start[0] != start + len(lines):
                yield start, "\n".join(lines)
                lines = []
            start = start if lines else token.start[0]
            lines.append(token.string.lstrip("# "))
    yield start, "\n".join(lines)


def sentence(text: str, start: int, end: int) -> str:
    before = [mark.end() for mark in SENTENCE_END.finditer(text, 0, start)]
    after = SENTENCE_END.search(text, end)
    return " ".join(text[before[-1] if before else 0 : after.end() if after else len(text)].split())


def problems(path: Path) -> Iterator[str]:
    name = path.relative_to(ROOT).as_posix()
    for first, text in blocks(path):
        prose = CODE.sub(lambda code: re.sub(r"[^\n]", "`", code[0]), text) if path.suffix == ".md" else text
        for match in PATTERN.finditer(prose):
            if match[0].lower() in QUOTED.get(name, ()):
                continue
            instead = list(AVOID.values())[int(str(match.lastgroup)[1:])]
            line = first + text.count("\n", 0, match.start())
            yield f"{name}:{line}: “{match[0]}”: {instead}\n    {sentence(text, *match.span())}"


def arabic_problems(path: Path) -> Iterator[str]:
    """Latin commas, semicolons and question marks in Arabic."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if LATIN_MARK.search(line):
            yield f"{path.relative_to(ROOT)}:{number}: use ، ؛ ؟ in Arabic\n    {line.strip()}"


def files() -> Iterator[Path]:
    for name in LOOKED_AT:
        for path in [ROOT / name] if (ROOT / name).is_file() else sorted((ROOT / name).rglob("*")):
            if path.suffix in {".py", *TEXT} and not SKIPPED.intersection(path.parts):
                yield path


def main() -> int:
    found = [problem for path in files() if path.name != "plain_english.py" for problem in problems(path)]
    for path in (ROOT / "README.ar.md", ROOT / "locale/ar/LC_MESSAGES/django.po"):
        found += arabic_problems(path)
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    if found:
        sys.stderr.write(f"\n{len(found)} to write again in plain words; tests/plain_english.py says which and why.\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
