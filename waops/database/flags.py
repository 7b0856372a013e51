"""Choose between the database function and the legacy path.

Each function has a waffle Sample with its name: the percentage of its calls that use the function. The environment's
MESSAGE_PATH_KILL_SWITCH overrides the samples. A change takes effect immediately in the process that makes it and, if
processes do not share a cache, within CACHES["flags"]["TIMEOUT"] seconds elsewhere.
"""

from typing import Any

import waffle
from django.conf import settings
from django.db.migrations import RunPython

EVERYTHING = "all"


def uses_function(name: str) -> bool:
    """Whether this call of `name` should use the function. Drawn at random for each call."""
    if settings.MESSAGE_PATH_KILL_SWITCH & {name, EVERYTHING}:
        return False
    return bool(waffle.sample_is_active(name))


def create_samples(*names: str) -> RunPython:
    """Migration operation: create samples that send every call to these functions."""

    def create(apps: Any, schema_editor: Any) -> None:
        samples = apps.get_model("waffle", "Sample").objects.using(schema_editor.connection.alias)
        for name in names:
            samples.get_or_create(name=name, defaults={"percent": 100, "note": "Rollout percentage of this function."})

    def delete(apps: Any, schema_editor: Any) -> None:
        samples = apps.get_model("waffle", "Sample").objects.using(schema_editor.connection.alias)
        samples.filter(name__in=names).delete()

    return RunPython(create, delete)
