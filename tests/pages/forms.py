"""What a page offers to send: its forms, with their fields as a browser would fill them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

VOID = {"submit", "button", "reset", "image", "file"}


@dataclass
class Form:
    """`action` is a path; `fields` pairs of name and value."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """`forms` of a page, and `names` of all that its addresses and forms ask with."""

    def __init__(self, path: str, html: str) -> None:
        super().__init__()
        self.path = path
        self.forms: list[Form] = []
        self.names: set[str] = set()
        self._select = ""
        self._outside: dict[str, list[tuple[str, str]]] = {}
        self._ids: dict[str, Form] = {}
        self.feed(html)
        for form_id, fields in self._outside.items():
            self._ids[form_id].fields += fields

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        match tag:
            case "form":
                self.forms.append(Form(self._address(values.get("action", "")), values.get("method", "get").lower()))
                self._ids[values.get("id", "")] = self.forms[-1]
            case "a":
                self.names |= {name for name, _ in parse_qsl(urlsplit(values.get("href", "")).query, True)}
            case "select":
                self._select = values.get("name", "")
                self._add(values, "")
            case "option" if self._select and "selected" in values:
                self._add({"name": self._select}, values.get("value", ""))
            case "textarea":
                self._add(values, "text")
            case "button":
                self._add(values, values.get("value", ""))
            case "input" if values.get("type") not in VOID:
                self._add(values, values.get("value", ""))

    def _add(self, attributes: dict[str, str], value: str) -> None:
        name = attributes.get("name", "")
        if not name or name == "csrfmiddlewaretoken":
            return
        self.names.add(name)
        if "form" in attributes:
            self._outside.setdefault(attributes["form"], []).append((name, value))
        elif self.forms:
            fields = self.forms[-1].fields
            fields[:] = [pair for pair in fields if attributes.get("type") in ("checkbox", None) or pair[0] != name]
            fields.append((name, value))

    def _address(self, action: str) -> str:
        return urljoin(self.path, action)
