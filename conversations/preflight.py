"""What the message path's functions need from the service's tables, tried before anything is installed."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext_lazy as _

from waops.database.fetch import fetch_one
from waops.schema.errors import MigrationStopped
from waops.schema.preflight import Trial
from waops.schema.routines import find_ours, find_routines
from waops.schema.sql_file import SQLFile

INSTALLED_BY = ("conversations", "0003_functions")
BEYOND_THE_PLAN = (
    *("message_arrived", "reply_ready", "turn_state", "turn_sent", "end_turn", "whatsapp_customer", "store_messages"),
    *("whatsapp_forms", "get_instance_state", "update_personality_usage_batch", "function_switches", "report_fallback"),
)
"""Functions in `public` that are neither the plan's nor the deployed ones: functions of these names that do
something else.
"""

HIDES_ROWS = """
    SELECT pg_catalog.row_security_active(
        pg_catalog.to_regclass('public.whatsapp_conversation_messages')::oid
    )
"""
NOTE = "Tried by waops, and rolled back"

TRIALS = (
    Trial(
        "public.whatsapp_conversation_messages",
        f"""
        INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id, metadata)
        SELECT id, 'user', '{NOTE}', NULL, '{{}}' FROM public.whatsapp_conversations
        LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        """,  # noqa: S608
    ),
    Trial(
        "public.whatsapp_conversations",
        """
        INSERT INTO public.whatsapp_conversations (instance_id, user_phone)
        SELECT id, 'waops' FROM public.whatsapp_instances LIMIT 1
        """,
    ),
    Trial(
        "public.whatsapp_conversations",
        """
        UPDATE public.whatsapp_conversations SET last_activity = pg_catalog.now(), status = 'active'
        WHERE id = (SELECT id FROM public.whatsapp_conversations LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
        """,
    ),
    Trial(
        "public.whatsapp_ai_interactions",
        f"""
        INSERT INTO public.whatsapp_ai_interactions
            (whatsapp_instance_id, user_phone, user_message, ai_response, metadata)
        SELECT id, 'waops', '{NOTE}', '{NOTE}', '{{}}' FROM public.whatsapp_instances
        LIMIT 1
        """,  # noqa: S608
    ),
    Trial(
        "public.ai_personalities",
        """
        UPDATE public.ai_personalities SET usage_count = usage_count
        WHERE id = (SELECT id FROM public.ai_personalities LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
        """,
    ),
    Trial(
        "public.whatsapp_ai_config",
        """
        UPDATE public.whatsapp_ai_config SET total_personality_switches = total_personality_switches
        WHERE id = (SELECT id FROM public.whatsapp_ai_config LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
        """,
    ),
)


class RowsHidden(MigrationStopped):
    """Row-level security applies to the migrating role, so its triggers would count too few messages."""

    message = _(
        "Row-level security hides messages from this role, so message counts would be wrong. Run migrate as the role "
        "that owns the tables (on Supabase: postgres)."
    )


class FunctionNamesTaken(MigrationStopped):
    """The service has its own functions with our names. Replacing one would break its callers."""

    message = _(
        "Functions in this database already use names that this app needs: %(found)s. Nothing was changed. Rename "
        "those functions (ALTER FUNCTION … RENAME TO …), update their callers, then run migrate again."
    )


def refuse_taken_names(connection: BaseDatabaseWrapper) -> None:
    """Raise FunctionNamesTaken, unless the functions are already installed: then the doctor compares them."""
    if INSTALLED_BY in MigrationRecorder(connection).applied_migrations():
        return
    found: list[str] = []
    for name in BEYOND_THE_PLAN:
        ours = find_ours(connection, "public", name, SQLFile.find(name).bodies())
        found += {routine.signature for routine in find_routines(connection, "public", name)} - ours
    if found:
        raise FunctionNamesTaken(found=", ".join(sorted(found)))


def refuse_hidden_rows(connection: BaseDatabaseWrapper) -> None:
    """Raise RowsHidden if row-level security applies to the migrating role."""
    if fetch_one(connection, HIDES_ROWS) == (True,):
        raise RowsHidden


def refuse_unfit_tables(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Check the tables in a migration. `migrate` itself tries all writes before its first change."""
    refuse_hidden_rows(schema_editor.connection)
