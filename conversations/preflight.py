"""Tried before the message path's functions are installed: can they work on this database at all?"""

from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils.translation import gettext_lazy as _

from waops.operations.errors import MigrationStopped

# As the functions do it, names resolved as there: a trigger that fails like this would fail every message.
SEARCH_PATH = "SET LOCAL search_path = pg_catalog, pg_temp"
HIDES_ROWS = "SELECT pg_catalog.row_security_active('public.whatsapp_conversation_messages')"
ANY_CONVERSATION = "SELECT id FROM public.whatsapp_conversations LIMIT 1 FOR UPDATE SKIP LOCKED"
STORE = """
    INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id, metadata)
    VALUES (%s, 'user', 'Tried by a migration, and rolled back', NULL, '{}')
"""


class RowsHidden(MigrationStopped):
    """Row-level security applies to the migrating role, so its triggers would count too few messages."""

    message = _(
        "Row-level security hides messages from this role, and message counts would be wrong. "
        "Run migrate as the role that owns the tables (on Supabase: postgres)."
    )


class MessageNotStorable(MigrationStopped):
    """A trigger or constraint of this deployment refuses a message that comes from a function of ours."""

    message = _(
        "A message stored by a function would fail on this database: %(error)s. Nothing was changed. If a trigger's "
        "function names a table without its schema, add the schema, or: ALTER FUNCTION … SET search_path = public."
    )


def refuse_unfit_tables(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Store a message in any conversation, and roll it back. Nothing to try where there is none.

    Raises RowsHidden, MessageNotStorable.
    """
    with transaction.atomic(using=schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
        cursor.execute(HIDES_ROWS)
        if cursor.fetchone() == (True,):
            raise RowsHidden
        cursor.execute(ANY_CONVERSATION)
        conversation = cursor.fetchone()
        if conversation is None:
            return
        try:
            cursor.execute(SEARCH_PATH)
            cursor.execute(STORE, conversation)
        except DatabaseError as error:
            raise MessageNotStorable(error=" ".join(str(error).split())) from error
        transaction.set_rollback(True, using=schema_editor.connection.alias)
