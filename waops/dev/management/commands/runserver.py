"""Django's development server, which refuses to start on a database that the app cannot use."""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from whitenoise.runserver_nostatic.management.commands.runserver import Command as WhiteNoiseCommand

from waops.database.engine import pooling
from waops.dev.embedded import project_server
from waops.dev.gateway import demo as gateway


class Command(WhiteNoiseCommand):  # type: ignore[misc]
    def run(self, **options: Any) -> None:
        if settings.EMBEDDED_POSTGRES:
            # The reloader kills its child, which then stops nothing, so the parent must also count as a user of the
            # database.
            project_server(settings.BASE_DIR).start()
        super().run(**options)

    def check(self, *args: Any, **kwargs: Any) -> None:
        super().check(*args, **{**kwargs, "databases": [DEFAULT_DB_ALIAS]})

    def get_handler(self, *args: Any, **options: Any) -> Any:
        # As in `waops.wsgi`, whose exit on a failed check would silently end only this thread.
        connections.close_all()
        pooling.start()
        if settings.EMBEDDED_POSTGRES and not settings.EVOLUTION_API_URL:
            gateway.start()
        return super().get_handler(*args, **options)
