"""Why there is no result."""


class BenchmarkError(Exception):
    """The benchmark could not run; its databases are dropped anyway."""
