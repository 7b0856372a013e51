"""What the admin pages of all apps share, and the pages of this app's own tables."""

from waops.admin import access_records, database_panel, operations, pages, sign_ins  # noqa: F401 registers them
