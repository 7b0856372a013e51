"""A message arrived, and its reply is ready, each in several queries. Turns are unknown to the legacy path."""

from dataclasses import replace
from uuid import UUID

from django.db import transaction
from psycopg.types.json import Jsonb

from conversations.legacy import (
    get_conversation_with_context,
    is_escalated,
    refuse_limit,
    refuse_null,
    whatsapp_customer,
)
from tests.conversations.message_path.callers.answers import ArrivedMessage, StoredReply, Turn
from tests.conversations.message_path.callers.arguments import (
    Interaction,
    refuse_interaction,
    refuse_lease,
    refuse_phone,
    refuse_turn,
)
from tests.conversations.message_path.callers.legacy.messages import store_message_with_update
from tests.conversations.message_path.callers.legacy.personalities import update_personality_usage_batch
from tests.conversations.message_path.callers.legacy.queries import (
    DOES_NOT_EXIST,
    execute,
    fetch,
    fetch_one,
    fetch_value,
)
from usage.legacy import check_and_update_ai_usage
from waops.database.calls import INVALID_ARGUMENT, CallRefused, as_uuid

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
    WHERE whatsapp_instance_id = %s AND is_active = true ORDER BY id LIMIT 1
"""
CUSTOMER = """
    SELECT conversation.instance_id, conversation.user_phone, instance.user_id
    FROM public.whatsapp_conversations AS conversation
    JOIN public.whatsapp_instances AS instance ON instance.id = conversation.instance_id
    WHERE conversation.id = %s
"""
ROLE = "SELECT role FROM public.whatsapp_conversation_messages WHERE id = %s"
NOT_A_CUSTOMER = "p_user_phone must be a customer, not a group, a broadcast, a status or a newsletter"
ID_OF_CUSTOMER = "p_message_id is the id of a customer's message; a reply needs an id that differs"
UNKNOWN = Turn("unknown")
# Numbers as the columns accept them: null for anything that is not an integer, or too large.
RECORD = r"""
    INSERT INTO public.whatsapp_ai_interactions (
        whatsapp_instance_id, user_phone, ai_response, user_message, context_token_count, search_result_count,
        response_model, prompt_tokens, completion_tokens, total_tokens, metadata
    )
    SELECT %(instance)s, %(phone)s, %(reply)s, given.user_message, given.context_token_count,
        given.search_result_count, given.response_model, given.prompt_tokens, given.completion_tokens,
        given.total_tokens, coalesce(given.metadata, '{}')
    FROM jsonb_to_record(%(interaction)s::jsonb || (
        SELECT coalesce(jsonb_object_agg(key, CASE
            WHEN value !~ '^\s*[+-]?\d{1,10}(\.\d{1,20})?\s*$' THEN NULL
            WHEN abs(value::numeric) < 2147483647.5 THEN round(value::numeric)
        END), '{}')
        FROM jsonb_each_text(%(interaction)s::jsonb)
        WHERE key IN (
            'context_token_count', 'search_result_count', 'prompt_tokens', 'completion_tokens', 'total_tokens'
        )
    )) AS given (
        user_message text, context_token_count integer, search_result_count integer, response_model text,
        prompt_tokens integer, completion_tokens integer, total_tokens integer, metadata jsonb
    )
    RETURNING id
"""


def message_arrived(
    instance_id: UUID,
    user_phone: str,
    content: str,
    message_id: str | None = None,
    limit: int = 10,
    lease_seconds: int | None = None,
) -> ArrivedMessage:
    instance_id = as_uuid(instance_id)
    refuse_limit(limit)
    refuse_lease(lease_seconds)
    refuse_null(p_instance_id=instance_id, p_user_phone=user_phone)
    refuse_phone(user_phone)
    with transaction.atomic():
        phone = whatsapp_customer(instance_id, user_phone)
        if phone is None:
            raise CallRefused(NOT_A_CUSTOMER, INVALID_ARGUMENT)
        business_id = fetch_value(BUSINESS, instance_id)
        if business_id is None:
            raise CallRefused(f"Instance {instance_id} does not exist", DOES_NOT_EXIST)
        found = fetch(FIND, instance_id, phone)
        created = None if found else fetch(CREATE, instance_id, phone)
        conversation_id, status = found or created or fetch_one(FIND, instance_id, phone)
        message = store_message_with_update(conversation_id, "user", content, message_id)
        reactivated = status != "active" and not message.duplicate
        if reactivated:
            execute(REACTIVATE, conversation_id)
        return ArrivedMessage(
            message=message,
            created=created is not None,
            reactivated=reactivated,
            context=replace(
                get_conversation_with_context(instance_id, phone, limit),
                is_escalated=is_escalated(instance_id, user_phone, phone),
            ),
            ai_config=fetch_value(AI_CONFIG, instance_id),
            quota=check_and_update_ai_usage(business_id),
            turn=None if lease_seconds is None else UNKNOWN,
        )


def reply_ready(
    conversation_id: UUID,
    content: str,
    message_id: str | None = None,
    interaction: Interaction | None = None,
    user_id: UUID | None = None,
    personality_id: UUID | None = None,
    turn: UUID | None = None,
) -> StoredReply:
    conversation_id = as_uuid(conversation_id)
    turn = turn and as_uuid(turn)
    user_id, personality_id = user_id and as_uuid(user_id), personality_id and as_uuid(personality_id)
    if interaction is not None:
        refuse_interaction(interaction)
    interaction_id = None
    with transaction.atomic():
        if turn and (customer := fetch(CUSTOMER, conversation_id)) and is_escalated(*customer[:2]):
            quota = check_and_update_ai_usage(user_id or customer[2])
            return StoredReply(None, None, quota, True, Turn("escalated", stored=False))
        message = store_message_with_update(conversation_id, "assistant", content, message_id)
        if message.duplicate and fetch_value(ROLE, message.message_id) == "user":
            raise CallRefused(ID_OF_CUSTOMER, INVALID_ARGUMENT)
        instance_id, user_phone, owner_id = fetch_one(CUSTOMER, conversation_id)
        if interaction is not None and not message.duplicate:
            recorded = {"instance": instance_id, "phone": user_phone, "reply": content}
            interaction_id = fetch_value(RECORD, {**recorded, "interaction": Jsonb(interaction)})
        quota = check_and_update_ai_usage(user_id or owner_id, not message.duplicate)
        if personality_id is not None and not message.duplicate:
            update_personality_usage_batch([personality_id])
        escalated = is_escalated(instance_id, user_phone)
    return StoredReply(message, interaction_id, quota, escalated, replace(UNKNOWN, stored=True) if turn else None)


def turn_state(turn: UUID) -> Turn:
    refuse_turn(as_uuid(turn))
    return UNKNOWN


def turn_sent(turn: UUID) -> Turn:
    return turn_state(turn)


def end_turn(turn: UUID, outcome: str) -> Turn:
    refuse_turn(as_uuid(turn), outcome)
    return UNKNOWN
