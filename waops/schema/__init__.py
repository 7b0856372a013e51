"""Migration operations for a live database that belongs to another service.

They change objects in the service's schema `public` without blocking its requests, record what was there before, and
restore it when reversed.
"""

from waops.schema.function import InstallFunction
from waops.schema.index import CreateIndex, CreateIndexWherePossible
from waops.schema.sql_file import RunSQLFile

__all__ = ["CreateIndex", "CreateIndexWherePossible", "InstallFunction", "RunSQLFile"]
