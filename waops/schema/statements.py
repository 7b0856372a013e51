"""Parse an SQL file."""

import re

TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"[^"]*"|(?P<tag>\$\w*\$).*?(?P=tag)|;""",
    re.DOTALL,
)
DROP = re.compile(r"^DROP (FUNCTION|INDEX|SEQUENCE|TABLE|TRIGGER|TYPE|VIEW) (?!IF EXISTS)", re.MULTILINE)
CREATE_TRIGGER = re.compile(
    r"CREATE\s+TRIGGER\s+(?P<name>\w+)\b[^;]*?\bON\s+(?P<table>\w+\.\w+)[^;]*;", re.IGNORECASE | re.DOTALL
)
CREATE_FUNCTION = re.compile(r"CREATE\s+OR\s+REPLACE\s+FUNCTION\s+(?P<name>\w+\.\w+)\s*\(", re.IGNORECASE)
CREATE_OTHER = re.compile(r"CREATE\s+(?P<kind>SEQUENCE|TABLE|TYPE)\s+(?P<name>\w+\.\w+)", re.IGNORECASE)
IN_ARGUMENTS = re.compile(r"'(?:[^']|'')*'|[(),]")
ARGUMENT = re.compile(
    r"(?:(?P<mode>IN|OUT|INOUT|VARIADIC)\s+)?\w+\s+(?P<type>.+?)(?:\s+DEFAULT\s.+|\s*=.+)?", re.IGNORECASE | re.DOTALL
)


def split(sql: str) -> list[str]:
    """The statements of a file, without semicolons and the comments around them."""
    statements: list[str] = []
    parts: list[str] = []
    start = 0
    for token in TOKEN.finditer(sql):
        if token[0] == ";":
            statements.append("".join((*parts, sql[start : token.start()])))
            parts, start = [], token.end()
        elif token[0].startswith(("--", "/*")):
            parts.append(sql[start : token.start()])
            start = token.end()
    statements.append("".join((*parts, sql[start:])))
    return [statement.strip() for statement in statements if statement.strip()]


def function_identity(sql: str) -> str:
    """`schema.name(argument types)` of the one function that the file creates, in the form to_regprocedure
    accepts.

    Raises ValueError unless the file is one CREATE OR REPLACE FUNCTION with a schema and named arguments.
    """
    statements = split(sql)
    match = CREATE_FUNCTION.match(statements[0]) if len(statements) == 1 else None
    if match is None:
        raise ValueError(f"Not one CREATE OR REPLACE FUNCTION schema.name(…): {sql[:200]}")
    types = []
    for written in _arguments(statements[0][match.end() :]):
        argument = ARGUMENT.fullmatch(written)
        if argument is None:
            raise ValueError(f"Not an argument's name and type, in {match['name']}: {written}")
        if (argument["mode"] or "").upper() != "OUT":
            types.append(" ".join(argument["type"].split()))
    return f"{match['name']}({', '.join(types)})"


def _arguments(sql: str) -> list[str]:
    """The parts between commas, up to the closing bracket."""
    arguments, start, depth = [], 0, 0
    for token in IN_ARGUMENTS.finditer(sql):
        if token[0] == "(":
            depth += 1
        elif token[0] == ")" and depth:
            depth -= 1
        elif not depth and token[0] in (",", ")"):
            arguments.append(sql[start : token.start()].strip())
            start = token.end()
            if token[0] == ")":
                break
    return [] if arguments == [""] else arguments


def drops(sql: str) -> str:
    """Statements that drop what the file creates, in reverse order. Raises ValueError if it creates nothing."""
    found = []
    for statement in split(sql):
        if CREATE_FUNCTION.match(statement):
            found.append(f"DROP FUNCTION {function_identity(statement)};")
        elif trigger := CREATE_TRIGGER.match(f"{statement};"):
            found.append(f"DROP TRIGGER {trigger['name']} ON {trigger['table']};")
        elif other := CREATE_OTHER.match(statement):
            found.append(f"DROP {other['kind'].upper()} {other['name']};")
    if not found:
        raise ValueError(f"Nothing to drop, so this needs a reverse file: {sql[:200]}")
    return "\n".join(reversed(found)) + "\n"


def if_exists(sql: str) -> str:
    """A DROP statement with IF EXISTS, so that dropping a missing object does nothing."""
    return DROP.sub(r"DROP \1 IF EXISTS ", sql)
