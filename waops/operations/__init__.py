"""Migration operations for a live database that belongs to somebody else's service.

They change objects of the service's schema `public` without holding up its requests, remember what stood there before,
and put it back when they are reversed.
"""

from waops.operations.function import InstallFunction
from waops.operations.index import CreateIndex
from waops.operations.sql_file import RunSQLFile

__all__ = ["CreateIndex", "InstallFunction", "RunSQLFile"]
