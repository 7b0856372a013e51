"""Which path a call takes: the stored function, or the old queries.

Each function has a waffle Sample of its name: the share of its calls, in percent, that go to the function. Whatever the
samples say, the environment's MESSAGE_PATH_KILL_SWITCH wins. A change takes effect at once where it is made and, with a
cache of each process's own, elsewhere within CACHES["flags"]["TIMEOUT"] seconds.
"""

from typing import Any

import waffle
from django.conf import settings
from django.db.migrations import RunPython

EVERYTHING = "all"


def uses_function(name: str) -> bool:
    """Whether this call of the function `name` is to go to it. Drawn anew for each call."""
    if settings.MESSAGE_PATH_KILL_SWITCH & {name, EVERYTHING}:
        return False
    return bool(waffle.sample_is_active(name))


def create_samples(*names: str) -> RunPython:
    """Migration operation: samples of these functions, every call of which goes to the function."""

    def create(apps: Any, schema_editor: Any) -> None:
        samples = apps.get_model("waffle", "Sample").objects.using(schema_editor.connection.alias)
        for name in names:
            samples.get_or_create(name=name, defaults={"percent": 100, "note": "Share of calls of this function."})

    def delete(apps: Any, schema_editor: Any) -> None:
        samples = apps.get_model("waffle", "Sample").objects.using(schema_editor.connection.alias)
        samples.filter(name__in=names).delete()

    return RunPython(create, delete)
