"""Store a reply in the customer's conversation, which the AI reads once it takes over again."""

from typing import Any

from django.db import connection

from conversations.legacy import whatsapp_forms
from conversations.models import REPLIES
from escalations.models import Reply

MAY_STORE = """
    coalesce(
        pg_catalog.has_function_privilege(
            pg_catalog.to_regprocedure('public.store_message_with_update(uuid,text,text,text)'), 'EXECUTE'
        ), false
    ) AND pg_catalog.has_table_privilege('public.whatsapp_conversations', 'INSERT')
      AND pg_catalog.has_table_privilege('public.whatsapp_conversations', 'UPDATE')
      AND pg_catalog.has_table_privilege('public.whatsapp_conversation_messages', 'INSERT')
"""
"""Whether this role can do what `settle` will do: better to know before the customer has the message."""

STORE = """
    SELECT (public.store_message_with_update(stored.id, 'assistant', %(text)s, %(id)s) ->> 'duplicate')::boolean
    FROM (
        SELECT id FROM public.whatsapp_conversations WHERE instance_id = %(instance)s AND user_phone = ANY (%(forms)s)
        ORDER BY array_position(%(forms)s, user_phone::text) LIMIT 1
    ) AS stored
"""
NEW_CONVERSATION = """
    INSERT INTO public.whatsapp_conversations (instance_id, user_phone) VALUES (%(instance)s, %(phone)s)
    ON CONFLICT (instance_id, user_phone) DO NOTHING
"""


def store(reply: Reply, message_id: str) -> None:
    """Sets `message_id`, which differs from the given one if another message of the conversation has that."""
    # The service may have stored the number in another form than the escalation.
    forms = whatsapp_forms(reply.whatsapp_number)
    values: dict[str, Any] = {"instance": reply.instance_id, "forms": forms, "phone": forms[1], "text": reply.text}
    with connection.cursor() as cursor:
        for one in (message_id, own_id(reply)):
            values["id"] = reply.message_id = one
            cursor.execute(STORE, values)
            found = cursor.fetchone()
            if found is None:
                # Nothing happens if the customer's own message has created it at the same moment.
                cursor.execute(NEW_CONVERSATION, values)
                cursor.execute(STORE, values)
                found = cursor.fetchone()
            [is_duplicate] = found
            if not is_duplicate:
                break
            # The gateway has given this id to another message before.


def own_id(reply: Reply) -> str:
    """For a message whose id at WhatsApp is not known."""
    return f"{REPLIES}reply_{reply.pk}"
