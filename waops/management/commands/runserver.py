"""Django's development server, refusing to start on a database that the app cannot use."""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from whitenoise.runserver_nostatic.management.commands.runserver import Command as WhiteNoiseCommand

from waops.backend import pooling
from waops.embedded import project_server


class Command(WhiteNoiseCommand):  # type: ignore[misc]
    def run(self, **options: Any) -> None:
        if settings.EMBEDDED_POSTGRES:
            # The reloader kills its child, which then stops nothing: the parent must be a user of the database too.
            project_server(settings.BASE_DIR).start()
        super().run(**options)

    def check(self, *args: Any, **kwargs: Any) -> None:
        super().check(*args, **{**kwargs, "databases": [DEFAULT_DB_ALIAS]})

    def get_handler(self, *args: Any, **options: Any) -> Any:
        # As `waops.wsgi` does, whose exit on a failed check would end only this thread, in silence.
        connections.close_all()
        pooling.start()
        return super().get_handler(*args, **options)
