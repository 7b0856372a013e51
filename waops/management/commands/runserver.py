"""Django's development server, refusing to start on a database that the app cannot use."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from whitenoise.runserver_nostatic.management.commands.runserver import Command as WhiteNoiseCommand


class Command(WhiteNoiseCommand):  # type: ignore[misc]
    def check(self, *args: Any, **kwargs: Any) -> None:
        super().check(*args, **{**kwargs, "databases": [DEFAULT_DB_ALIAS]})
