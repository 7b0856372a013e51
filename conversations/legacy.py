"""The legacy path of get_conversation_with_context: separate queries.

It is used when the function is switched off or broken, so it relies only on the service's own tables.
"""

import re
from typing import Any
from uuid import UUID

from django.db import connection

from conversations.answers import ConversationContext
from waops.database.calls import INVALID_ARGUMENT, NULL_NOT_ALLOWED, CallRefused, as_uuid
from waops.database.fetch import fetch_value

PHONE_LENGTH = 255
RECENT_LIMIT = 1000
INTERACTIONS = 5

CONVERSATION = """
    SELECT row_to_json(conversation) FROM public.whatsapp_conversations AS conversation
    WHERE instance_id = %s AND user_phone = %s AND status = 'active'
"""
IS_ESCALATED = """
    SELECT EXISTS (
        SELECT FROM public.escalated_conversations
        WHERE instance_id = %s AND whatsapp_number = ANY (%s) AND resolved_at IS NULL
    )
"""
MESSAGES = """
    SELECT coalesce(json_agg(recent), '[]') FROM (
        SELECT role, content, "timestamp" FROM public.whatsapp_conversation_messages WHERE conversation_id = %s
        ORDER BY "timestamp" DESC, id DESC LIMIT %s
    ) AS recent
"""
RECENT_INTERACTIONS = """
    SELECT coalesce(json_agg(recent), '[]') FROM (
        SELECT metadata, created_at, user_message FROM public.whatsapp_ai_interactions
        WHERE whatsapp_instance_id = %s AND user_phone = %s ORDER BY created_at DESC, id DESC LIMIT %s
    ) AS recent
"""
INSTANCE = "SELECT row_to_json(instance) FROM public.whatsapp_instances AS instance WHERE id = %s"
NOT_CUSTOMERS = {"g.us", "broadcast", "newsletter"}
NUMBERS = {"", "s.whatsapp.net", "c.us", "hosted"}
HIDDEN_NUMBERS = {"lid", "hosted.lid"}

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "0123456789" * 2)
_BETWEEN = str.maketrans(
    dict.fromkeys(
        "+-()[]./ \t\n\r\u00a0\u00ad\u061c\u2007\u2009\u200b\u200e\u200f\u2010\u2011\u2012\u2013\u202a\u202b"
        "\u202c\u202d\u202e\u202f\u2060\u2066\u2067\u2068\u2069\ufeff"
    )
)
STORED = """
    SELECT user_phone FROM public.whatsapp_conversations WHERE instance_id = %s AND user_phone = ANY (%s)
    ORDER BY array_position(%s, user_phone) LIMIT 1
"""


def get_conversation_with_context(instance_id: UUID, user_phone: str, limit: int = 10) -> ConversationContext:
    instance_id = as_uuid(instance_id)
    refuse_null(p_instance_id=instance_id, p_user_phone=user_phone)
    refuse_limit(limit)
    refuse_long_phone(user_phone)
    conversation = fetch_value(connection, CONVERSATION, [instance_id, user_phone])
    phone = user_phone if conversation else whatsapp_customer(instance_id, user_phone) or user_phone
    if phone != user_phone:
        conversation = fetch_value(connection, CONVERSATION, [instance_id, phone])
    return ConversationContext(
        **state_of(instance_id, user_phone, phone),
        conversation=conversation,
        recent_messages=fetch_value(connection, MESSAGES, [conversation["id"], limit]) if conversation else [],
    )


def is_escalated(instance_id: UUID, *numbers: str) -> bool:
    """Whether the customer, who has these numbers, has an open escalation under any form of them."""
    forms = [form for number in numbers for form in whatsapp_forms(number)]
    return bool(fetch_value(connection, IS_ESCALATED, [instance_id, forms]))


def state_of(instance_id: UUID, given: str, user_phone: str) -> dict[str, Any]:
    return {
        "is_escalated": is_escalated(instance_id, given, user_phone),
        "instance_config": fetch_value(connection, INSTANCE, [instance_id]),
        "recent_interactions": fetch_value(connection, RECENT_INTERACTIONS, [instance_id, user_phone, INTERACTIONS]),
    }


def whatsapp_customer(instance_id: UUID, user_phone: str) -> str | None:
    """The form under which this customer's conversation is stored or will be, as the database function finds it.

    None for a group or a broadcast.
    """
    if _server(user_phone) in NOT_CUSTOMERS:
        return None
    forms = whatsapp_forms(user_phone)
    if len(forms) == 1:
        return user_phone
    return fetch_value(connection, STORED, [instance_id, forms, forms]) or forms[1]


def whatsapp_forms(user_phone: str) -> list[str]:
    """The forms under which the number may be stored, as the database function lists them: the given form first."""
    server = _server(user_phone)
    cut = re.sub("(?s)[.:_].*$" if server else "(?s):.*$", "", user_phone.split("@")[0], count=1)
    number = cut.translate(_DIGITS).translate(_BETWEEN)
    if not re.fullmatch("[0-9]+", number):
        return [user_phone]
    if server in HIDDEN_NUMBERS:
        return [user_phone, f"{number}@lid"]
    if server not in NUMBERS:
        return [user_phone]
    number = re.sub("^00(?=.)", "", number)
    return [user_phone, number, f"+{number}", f"00{number}", f"{number}@s.whatsapp.net", f"{number}@c.us"]


def _server(user_phone: str) -> str:
    return [*user_phone.split("@"), ""][1].lower()


def refuse_null(**arguments: object) -> None:
    """Raise CallRefused that names the first argument that is None."""
    for name, value in arguments.items():
        if value is None:
            raise CallRefused(f"{name} must not be null", NULL_NOT_ALLOWED)


def refuse_limit(limit: int) -> None:
    refuse_null(p_limit=limit)
    if not 0 <= limit <= RECENT_LIMIT:
        raise CallRefused(f"p_limit must be from 0 to {RECENT_LIMIT}, not {limit}", INVALID_ARGUMENT)


def refuse_long_phone(user_phone: str) -> None:
    """Raise CallRefused if no index can hold it; an empty phone finds no one."""
    if len(user_phone) > PHONE_LENGTH:
        raise CallRefused(
            f"p_user_phone has {len(user_phone)} characters; at most {PHONE_LENGTH} are allowed", INVALID_ARGUMENT
        )
