"""What a page offers to send: its forms, as a browser holds them and as a person would fill them in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.utils import timezone

NOT_SENT = {"submit", "button", "reset", "image", "file"}
DECIDES = ("action", "kind")
"""Names of fields that say what a form does: one form for each of their choices."""
SOON = timezone.localdate() + timedelta(days=3)
TYPED = {
    "date": SOON.isoformat(),
    "datetime-local": f"{SOON}T10:00",
    "email": "someone@example.com",
    "number": "5",
    "time": "10:00",
}
"""What a person types into a field of that type; "text" into the others."""
CLASSES = {"vDateField": "date", "vTimeField": "time"}
"""Fields of text that the admin gives a calendar or a clock."""


@dataclass
class Control:
    """`value`: as the page holds it; of a select, of one option. `is_on`: whether a browser would send that value."""

    name: str
    type: str
    value: str
    is_on: bool = True
    is_required: bool = False


@dataclass
class Form:
    """`action` is a path. `buttons`: names and values of those that send it."""

    action: str
    method: str
    is_hidden: bool = False
    controls: list[Control] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """All that could be sent, ticked or not, by its last button; of a select the chosen options."""
        sent = [one for one in self.controls if one.is_on or one.type != "select"]
        names = {one.name for one in sent}
        empty = [(one.name, "") for one in self.controls if one.name not in names]
        return [
            *((one.name, one.value) for one in sent),
            *dict.fromkeys(empty),
            *[pair for pair in self.buttons[-1:] if pair[0]],
        ]

    def variants(self) -> Iterator["Form"]:
        """One form for each thing that it can do, with all that a browser sends by default or could be chosen."""
        offered = [pair for pair in self.buttons if pair[0] in DECIDES] or self.buttons[:1] or [("", "")]
        if any(one.name in DECIDES and one.type == "select" for one in self.controls):
            offered = [(one.name, one.value) for one in self.controls if one.name in DECIDES and one.value]
        for name, value in offered:
            rest = [one for one in self.controls if one.name != name]
            yield replace(self, controls=[*rest, Control(name, "hidden", value)] if name else rest, buttons=[])

    def filled(self, given: Mapping[str, str]) -> list[tuple[str, str]]:
        """As a person sends it who fills in what is required.

        `given`: values for fields, required or not, that are empty, and for choices; an empty one is the first choice.
        """
        sent: list[tuple[str, str]] = []
        groups: dict[tuple[str, str], list[Control]] = {}
        for one in self.controls:
            groups.setdefault((one.name, one.type), []).append(one)
        for (name, kind), controls in groups.items():
            is_choice = kind in ("select", "radio", "checkbox")
            values = [one.value for one in controls if one.is_on and (one.value or not is_choice)]
            is_needed = any(one.is_required for one in controls)
            own = given.get(name, given.get(name.rpartition("-")[2]))  # forms of one page are distinguished by a prefix
            choices = [one.value for one in controls if is_choice and one.value]
            if own is not None and (own in ("", *choices) if choices else not any(values)):
                values = [own or choices[0]] if choices else [own]
            elif is_needed and not any(values):
                values = choices[:1] if is_choice else [TYPED.get(kind, "text")]
            sent += [(name, value) for value in values]
        return sent


class Page(HTMLParser):
    """`forms` of a page, and `names` of all that its addresses and forms ask with."""

    def __init__(self, path: str, html: str) -> None:
        super().__init__()
        self.path = path
        self.forms: list[Form] = []
        self.names: set[str] = set()
        self._select: dict[str, str] = {}
        self._text: Control | None = None
        self._outside: dict[str, list[Control]] = {}
        self._buttons_outside: dict[str, list[tuple[str, str]]] = {}
        self._ids: dict[str, Form] = {}
        self._elsewhere: list[tuple[str, str, tuple[str, str]]] = []
        self.feed(html)
        for form_id, controls in self._outside.items():
            self._ids[form_id].controls += controls
        for form_id, buttons in self._buttons_outside.items():
            self._ids[form_id].buttons += buttons
        for form_id, action, pair in self._elsewhere:
            form = self._ids[form_id]
            self.forms.append(Form(self._address(action), form.method, False, form.controls, [pair]))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        name, value = values.get("name", ""), values.get("value", "")
        match tag:
            case "form":
                action = self._address(values.get("action", ""))
                self.forms.append(Form(action, values.get("method", "get").lower(), "hidden" in values))
                self._ids[values.get("id", "")] = self.forms[-1]
            case "a":
                self.names |= {name for name, _ in parse_qsl(urlsplit(values.get("href", "")).query, True)}
            case "select":
                self._select = values
                self._add(values, Control(name, "select", "", is_on=False, is_required="required" in values))
            case "option" if self._select:
                is_required = "required" in self._select
                self._add(
                    self._select,
                    Control(self._select.get("name", ""), "select", value, "selected" in values, is_required),
                )
            case "textarea":
                # Where it must be filled in, few say so.
                self._text = Control(name, "textarea", "", is_required=True)
                self._add(values, self._text)
            case "button" if "formaction" in values:
                form_id = values.get("form") or next(key for key, form in self._ids.items() if form is self.forms[-1])
                self._elsewhere.append((form_id, values["formaction"], (name, value)))
            case "button" if "form" in values and values.get("type") != "button":
                self._buttons_outside.setdefault(values["form"], []).append((name, value))
            case "button" if self.forms and values.get("type") != "button":
                self._send_by(name, value)
            case "input" if values.get("type") == "submit" and self.forms:
                self._send_by(name, value)
            case "input" if values.get("type") not in NOT_SENT:
                self._add(values, self._input(values))

    def handle_data(self, data: str) -> None:
        if self._text:
            self._text.value += data.lstrip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = None

    def _input(self, values: dict[str, str]) -> Control:
        kind = next(
            (CLASSES[one] for one in values.get("class", "").split() if one in CLASSES), values.get("type", "text")
        )
        is_on = kind not in ("checkbox", "radio") or "checked" in values
        return Control(values.get("name", ""), kind, values.get("value", ""), is_on, "required" in values)

    def _send_by(self, name: str, value: str) -> None:
        self.forms[-1].buttons.append((name, value))
        if name:
            self.names.add(name)

    def _add(self, attributes: dict[str, str], control: Control) -> None:
        if not control.name or control.name == "csrfmiddlewaretoken":
            return
        self.names.add(control.name)
        if "form" in attributes:
            self._outside.setdefault(attributes["form"], []).append(control)
        elif self.forms:
            self.forms[-1].controls.append(control)

    def _address(self, action: str) -> str:
        return urljoin(self.path, action)
