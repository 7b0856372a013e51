"""Read settings from the environment; an invalid value counts as unset, and a system check names it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

Number = TypeVar("Number", int, float)

NOWHERE = "postgresql://unreadable-database-url.invalid/none"


class Environment(environ.Env):  # type: ignore[misc]  # environ is not typed
    """`problems`: what is wrong with which variable. It contains no URLs, which may hold a password."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: dict[str, str] = {}

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: Any = False
    ) -> Any:
        try:
            return super().get_value(var, cast, default, parse_default)
        except (ImproperlyConfigured, LookupError, TypeError, ValueError) as error:
            self.problems[var] = str(error)
            return default

    def postgres_url(self, var: str) -> str:
        """Check a database address. Empty if unset. An unreadable value connects to nothing, not to the embedded
        server.
        """
        url: str = self.str(var, default="")
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            self.problems[var] = "not a URL; in its password, write special characters as % and their code"
            return NOWHERE
        if url and parts.scheme not in ("postgres", "postgresql"):
            self.problems[var] = "it does not begin with postgresql://"
            return NOWHERE
        return url


def at_least(minimum: Number) -> Callable[[str], Number]:
    """Parse a number of the same type as the minimum."""

    def read(text: str) -> Number:
        number = type(minimum)(text)
        if number < minimum:
            raise ValueError(f"it must be at least {minimum}")
        return number

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return text

    return read


def time_zone(text: str) -> str:
    """Check the name of a time zone. Raises LookupError or ValueError for an unknown one."""
    return ZoneInfo(text).key


def server_programs(text: str) -> Path:
    """Folder with `postgres`, `initdb` and the other programs."""
    folder = Path(text)
    if not (folder / "postgres").exists():
        raise ValueError("there is no program postgres in that folder")
    return folder
