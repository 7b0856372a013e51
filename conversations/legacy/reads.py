"""Read what the AI must know: one query for each thing."""

from typing import Any
from uuid import UUID

from conversations.answers import ConversationContext, InstanceState
from conversations.arguments import INTERACTIONS, refuse_limit, refuse_null
from conversations.legacy.queries import fetch_value
from waops.procedures import as_uuid

CONVERSATION = """
    SELECT row_to_json(conversation) FROM public.whatsapp_conversations AS conversation
    WHERE instance_id = %s AND user_phone = %s AND status = 'active'
"""
IS_ESCALATED = """
    SELECT EXISTS (
        SELECT FROM public.escalated_conversations
        WHERE instance_id = %s AND whatsapp_number = %s AND resolved_at IS NULL
    )
"""
MESSAGES = """
    SELECT coalesce(json_agg(recent), '[]') FROM (
        SELECT role, content, "timestamp" FROM public.whatsapp_conversation_messages WHERE conversation_id = %s
        ORDER BY "timestamp" DESC LIMIT %s
    ) AS recent
"""
RECENT_INTERACTIONS = """
    SELECT coalesce(json_agg(recent), '[]') FROM (
        SELECT metadata, created_at, user_message FROM public.whatsapp_ai_interactions
        WHERE whatsapp_instance_id = %s AND user_phone = %s ORDER BY created_at DESC LIMIT %s
    ) AS recent
"""
INSTANCE = "SELECT row_to_json(instance) FROM public.whatsapp_instances AS instance WHERE id = %s"


def get_conversation_with_context(instance_id: UUID, user_phone: str, limit: int = 10) -> ConversationContext:
    instance_id = as_uuid(instance_id)
    refuse_null(p_instance_id=instance_id, p_user_phone=user_phone)
    refuse_limit(limit)
    conversation = fetch_value(CONVERSATION, instance_id, user_phone)
    return ConversationContext(
        **_state(instance_id, user_phone),
        conversation=conversation,
        recent_messages=fetch_value(MESSAGES, conversation["id"], limit) if conversation else [],
    )


def get_instance_state(instance_id: UUID, user_phone: str) -> InstanceState:
    instance_id = as_uuid(instance_id)
    refuse_null(p_instance_id=instance_id, p_user_phone=user_phone)
    return InstanceState(**_state(instance_id, user_phone))


def _state(instance_id: UUID, user_phone: str) -> dict[str, Any]:
    return {
        "is_escalated": fetch_value(IS_ESCALATED, instance_id, user_phone),
        "instance_config": fetch_value(INSTANCE, instance_id),
        "recent_interactions": fetch_value(RECENT_INTERACTIONS, instance_id, user_phone, INTERACTIONS),
    }
