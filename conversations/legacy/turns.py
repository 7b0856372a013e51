"""The two turns of a conversation, each in a row of queries."""

from uuid import UUID

from django.db import transaction
from psycopg.types.json import Jsonb

from conversations.answers import ArrivedMessage, StoredReply
from conversations.arguments import Interaction, refuse_interaction, refuse_limit, refuse_null, refuse_phone
from conversations.legacy.messages import store_message_with_update
from conversations.legacy.personalities import update_personality_usage_batch
from conversations.legacy.queries import execute, fetch, fetch_one, fetch_value
from conversations.legacy.reads import get_conversation_with_context
from usage.legacy import check_and_update_ai_usage
from waops.procedures import DOES_NOT_EXIST, CallRefused, as_uuid

BUSINESS = "SELECT user_id FROM public.whatsapp_instances WHERE id = %s"
FIND = """
    SELECT id, status FROM public.whatsapp_conversations WHERE instance_id = %s AND user_phone = %s FOR NO KEY UPDATE
"""
CREATE = """
    INSERT INTO public.whatsapp_conversations (instance_id, user_phone) VALUES (%s, %s)
    ON CONFLICT DO NOTHING RETURNING id, status
"""
REACTIVATE = "UPDATE public.whatsapp_conversations SET status = 'active' WHERE id = %s"
AI_CONFIG = """
    SELECT row_to_json(config) FROM public.whatsapp_ai_config AS config
    WHERE whatsapp_instance_id = %s AND is_active = true
"""
CUSTOMER = """
    SELECT conversation.instance_id, conversation.user_phone, instance.user_id
    FROM public.whatsapp_conversations AS conversation
    JOIN public.whatsapp_instances AS instance ON instance.id = conversation.instance_id
    WHERE conversation.id = %s
"""
RECORD = """
    INSERT INTO public.whatsapp_ai_interactions (
        whatsapp_instance_id, user_phone, ai_response, user_message, context_token_count, search_result_count,
        response_model, prompt_tokens, completion_tokens, total_tokens, metadata
    )
    SELECT %s, %s, %s, given.user_message, given.context_token_count, given.search_result_count, given.response_model,
        given.prompt_tokens, given.completion_tokens, given.total_tokens, coalesce(given.metadata, '{}')
    FROM jsonb_to_record(%s) AS given (
        user_message text, context_token_count integer, search_result_count integer, response_model text,
        prompt_tokens integer, completion_tokens integer, total_tokens integer, metadata jsonb
    )
    RETURNING id
"""


def message_arrived(
    instance_id: UUID, user_phone: str, content: str, message_id: str | None = None, limit: int = 10
) -> ArrivedMessage:
    instance_id = as_uuid(instance_id)
    refuse_limit(limit)
    refuse_null(p_instance_id=instance_id, p_user_phone=user_phone)
    refuse_phone(user_phone)
    with transaction.atomic():
        business_id = fetch_value(BUSINESS, instance_id)
        if business_id is None:
            raise CallRefused(f"Instance {instance_id} does not exist", DOES_NOT_EXIST)
        found = fetch(FIND, instance_id, user_phone)
        created = None if found else fetch(CREATE, instance_id, user_phone)
        conversation_id, status = found or created or fetch_one(FIND, instance_id, user_phone)
        message = store_message_with_update(conversation_id, "user", content, message_id)
        reactivated = status != "active" and not message.duplicate
        if reactivated:
            execute(REACTIVATE, conversation_id)
        return ArrivedMessage(
            message=message,
            created=created is not None,
            reactivated=reactivated,
            context=get_conversation_with_context(instance_id, user_phone, limit),
            ai_config=fetch_value(AI_CONFIG, instance_id),
            quota=check_and_update_ai_usage(business_id),
        )


def reply_ready(
    conversation_id: UUID,
    content: str,
    message_id: str | None = None,
    interaction: Interaction | None = None,
    user_id: UUID | None = None,
    personality_id: UUID | None = None,
) -> StoredReply:
    conversation_id = as_uuid(conversation_id)
    user_id, personality_id = user_id and as_uuid(user_id), personality_id and as_uuid(personality_id)
    if interaction is not None:
        refuse_interaction(interaction)
    interaction_id = None
    with transaction.atomic():
        message = store_message_with_update(conversation_id, "assistant", content, message_id)
        instance_id, user_phone, owner_id = fetch_one(CUSTOMER, conversation_id)
        if interaction is not None and not message.duplicate:
            interaction_id = fetch_value(RECORD, instance_id, user_phone, content, Jsonb(interaction))
        quota = check_and_update_ai_usage(user_id or owner_id, not message.duplicate)
        if personality_id is not None and not message.duplicate:
            update_personality_usage_batch([personality_id])
    return StoredReply(message, interaction_id, quota)
