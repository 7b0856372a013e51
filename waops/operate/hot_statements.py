"""The statements that the service and this app run most: a fixed list, also of what runs inside the functions.

EXPLAIN of a function call shows one line; these are its parts. Parameters come from one real customer, the busiest of
the latest messages, so that a plan is that of a real case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_noop as _

SAMPLE = """
    SELECT conversation.id::text, conversation.instance_id::text, conversation.user_phone, instance.user_id::text
    FROM (
        SELECT conversation_id FROM public.whatsapp_conversation_messages ORDER BY "timestamp" DESC LIMIT 1000
    ) AS newest
    JOIN public.whatsapp_conversations AS conversation ON conversation.id = newest.conversation_id
    JOIN public.whatsapp_instances AS instance ON instance.id = conversation.instance_id
    GROUP BY 1, 2, 3, 4 ORDER BY pg_catalog.count(*) DESC, 1 LIMIT 1
"""
STILL_THERE = "SELECT EXISTS (SELECT FROM public.whatsapp_conversations WHERE id = %(conversation_id)s::uuid)"


@dataclass(frozen=True)
class HotStatement:
    """`name` is kept in English. `inside`: the functions that it is a part of. One that `writes` is rolled back."""

    name: str
    sql: str
    inside: tuple[str, ...] = ()
    writes: bool = False


CONTEXT = ("get_conversation_with_context", "message_arrived")

STATEMENTS = (
    HotStatement(
        _("conversation of a customer"),
        """
        SELECT id, status, conversation_data FROM public.whatsapp_conversations
        WHERE instance_id = %(instance_id)s::uuid AND user_phone = %(user_phone)s AND status = 'active'
        """,
        CONTEXT,
    ),
    HotStatement(
        _("newest messages"),
        """
        SELECT role, content, "timestamp" FROM public.whatsapp_conversation_messages
        WHERE conversation_id = %(conversation_id)s::uuid ORDER BY "timestamp" DESC LIMIT 10
        """,
        CONTEXT,
    ),
    HotStatement(
        _("newest answers"),
        """
        SELECT metadata, created_at, user_message FROM public.whatsapp_ai_interactions
        WHERE whatsapp_instance_id = %(instance_id)s::uuid AND user_phone = %(user_phone)s
        ORDER BY created_at DESC LIMIT 5
        """,
        CONTEXT,
    ),
    HotStatement(
        _("is a customer escalated"),
        """
        SELECT EXISTS (
            SELECT FROM public.escalated_conversations
            WHERE instance_id = %(instance_id)s::uuid AND whatsapp_number = %(user_phone)s AND resolved_at IS NULL
        )
        """,
        (*CONTEXT, "is_conversation_escalated"),
    ),
    HotStatement(
        _("settings of a number"),
        """
        SELECT instance.escalation_enabled, config.system_prompt, config.temperature
        FROM public.whatsapp_instances AS instance
        LEFT JOIN public.whatsapp_ai_config AS config
            ON config.whatsapp_instance_id = instance.id AND config.is_active = true
        WHERE instance.id = %(instance_id)s::uuid
        """,
        (*CONTEXT, "get_instance_state"),
    ),
    HotStatement(
        _("quota of a business"),
        """
        SELECT monthly_ai_response_limit, monthly_ai_responses_used, last_responses_reset_date
        FROM public.profiles WHERE id = %(user_id)s::uuid
        """,
        ("check_and_update_ai_usage", "message_arrived", "reply_ready"),
    ),
    HotStatement(
        _("message stored before"),
        """
        SELECT id FROM public.whatsapp_conversation_messages
        WHERE conversation_id = %(conversation_id)s::uuid AND message_id = 'waops explain'
        """,
        ("store_message_with_update", "message_arrived"),
    ),
    HotStatement(
        _("number of messages, as the plan counts"),
        "SELECT count(*) FROM public.whatsapp_conversation_messages WHERE conversation_id = %(conversation_id)s::uuid",
    ),
    HotStatement(
        _("businesses over their limit"),
        """
        SELECT id FROM public.profiles
        WHERE monthly_ai_responses_used >= monthly_ai_response_limit ORDER BY monthly_ai_responses_used DESC LIMIT 50
        """,
    ),
    HotStatement(
        _("queue of escalations"),
        """
        SELECT id, whatsapp_number, instance_id, escalated_at FROM public.escalated_conversations
        WHERE resolved_at IS NULL ORDER BY escalated_at LIMIT 50
        """,
    ),
    HotStatement(
        _("conversations to clean up"),
        """
        SELECT id FROM public.whatsapp_conversations
        WHERE status <> 'active' AND last_activity < now() - interval '30 days' ORDER BY last_activity LIMIT 100
        """,
    ),
    HotStatement(
        _("search in messages"),
        """
        SELECT id FROM public.whatsapp_conversation_messages
        WHERE to_tsvector('simple', content) @@ plainto_tsquery('simple', 'waopsnoword') LIMIT 20
        """,
    ),
    HotStatement(
        _("answers by intent"),
        """
        SELECT id FROM public.whatsapp_ai_interactions
        WHERE metadata @> '{"detected_intent": "waops explain"}' LIMIT 20
        """,
    ),
    HotStatement(
        _("store a message"),
        """
        INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id, metadata)
        VALUES (%(conversation_id)s::uuid, 'user', 'waops explain', NULL, '{}')
        """,
        ("store_message_with_update", "message_arrived", "reply_ready"),
        writes=True,
    ),
    HotStatement(
        _("touch a conversation"),
        """
        UPDATE public.whatsapp_conversations SET last_activity = now() WHERE id = %(conversation_id)s::uuid
        """,
        ("store_message_with_update", "message_arrived", "reply_ready"),
        writes=True,
    ),
    HotStatement(
        _("count an answer"),
        """
        UPDATE public.profiles SET monthly_ai_responses_used = monthly_ai_responses_used + 1
        WHERE id = %(user_id)s::uuid AND monthly_ai_responses_used < monthly_ai_response_limit
        """,
        ("check_and_update_ai_usage", "reply_ready"),
        writes=True,
    ),
)


def sample_parameters(connection: BaseDatabaseWrapper) -> dict[str, Any] | None:
    """`conversation_id`, `instance_id`, `user_phone`, `user_id`; None where there are no messages yet."""
    with connection.cursor() as cursor:
        cursor.execute(SAMPLE)
        row = cursor.fetchone()
    return row and dict(zip(("conversation_id", "instance_id", "user_phone", "user_id"), row, strict=True))


def are_current(connection: BaseDatabaseWrapper, parameters: Mapping[str, Any]) -> bool:
    """Whether that customer's conversation still exists."""
    with connection.cursor() as cursor:
        cursor.execute(STILL_THERE, parameters)
        return bool(cursor.fetchone() == (True,))
