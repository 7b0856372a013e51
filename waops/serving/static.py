"""Serve scripts and styles in production compressed and under content-hashed names that browsers can cache forever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is not typed
    support_js_module_import_aggregation = True
    """Modules import each other by hashed names too; otherwise browsers would mix old and new ones."""
