"""The operators' card on the home page: whether the database is as the app needs it."""

from typing import Any

from django.core import checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest

from waops.admin import home
from waops.dbops.checklist import checklist
from waops.dbops.doctor import periodic
from waops.dbops.findings import Severity
from waops.dbops.models import Snapshot

SHOWN = 4
"""Findings on the card; `manage.py doctor` lists all."""


def database_state(request: HttpRequest) -> dict[str, Any]:
    """System checks, periodic work, applied and pending migrations, the next step of the checklist, the last
    snapshot.
    """
    executor = MigrationExecutor(connection)
    waiting = [migration for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.current_setting('server_version'), current_database()")
        version, database = cursor.fetchone()
    messages = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    pressing = [message for message in messages if message.level >= checks.WARNING and not message.is_silenced()]
    pressing.sort(key=lambda message: -message.level)
    found = [
        *((message.level >= checks.ERROR, message.msg, message.hint, "") for message in pressing),
        *(
            (one.severity is Severity.ERROR, f"{one.subject} {one.what}", "", one.fix_text)
            for one in periodic.examine(connection).findings
        ),
    ]
    due = next((state.item for state in checklist() if not state.done), None)
    return {
        "version": version.split()[0],
        "database": database,
        "due": due,
        "snapshot": Snapshot.objects.only("taken_at").first(),
        "applied": len(executor.loader.applied_migrations),
        "waiting": waiting,
        "findings": found[:SHOWN],
        "more": max(len(found) - SHOWN, 0),
    }


home.register(
    home.Panel(
        name="database",
        permission="waops.view_installedobject",
        template="waops/database_panel.html",
        context=database_state,
        order=15,
    )
)
