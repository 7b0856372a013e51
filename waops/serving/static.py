"""Scripts and styles in production: named by their content, so that browsers may keep them for ever, and compressed."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is not typed
    support_js_module_import_aggregation = True
    """Modules import each other by those names too. Otherwise a browser would mix old and new ones."""
