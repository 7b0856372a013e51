"""The tables demo data fills, with the columns of their rows, in an order that satisfies every foreign key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Value = str | int | float | bool | None
Row = Sequence[Value]
"""Values in the order of the table's columns; times, JSON and arrays are already text."""


class Table(NamedTuple):
    schema: str
    name: str
    columns: tuple[str, ...]
    optional: bool = False


USERS = Table("auth", "users", ("id", "email", "created_at"))
PROFILES = Table(
    "public",
    "profiles",
    (
        "id", "created_at", "updated_at", "full_name", "business_name", "is_active", "storage_limit_mb",
        "instance_limit", "monthly_ai_response_limit", "monthly_ai_responses_used", "last_responses_reset_date",
        "monthly_prompt_generations_limit", "monthly_prompt_generations_used", "last_prompt_generations_reset_date",
        "enable_smart_escalation_global", "subscription_start_date", "subscription_end_date", "plan_type",
        "subscription_period", "storage_used_mb",
    ),
)  # fmt: skip
INSTANCES = Table(
    "public",
    "whatsapp_instances",
    (
        "id", "user_id", "instance_name", "status", "last_connected", "created_at", "updated_at", "reject_calls",
        "escalation_enabled", "escalation_message", "escalated_conversation_message", "escalation_keywords",
        "smart_escalation_enabled", "keyword_escalation_enabled", "custom_escalation_enabled",
        "custom_escalation_instructions", "escalation_threshold",
    ),
)  # fmt: skip
PERSONALITIES = Table(
    "public",
    "ai_personalities",
    (
        "id", "whatsapp_instance_id", "user_id", "name", "description", "system_prompt", "temperature", "model",
        "intent_categories", "is_active", "is_default", "priority", "usage_count", "default_voice_language",
        "created_at", "updated_at",
    ),
)  # fmt: skip
AI_CONFIG = Table(
    "public",
    "whatsapp_ai_config",
    (
        "id", "user_id", "whatsapp_instance_id", "system_prompt", "is_active", "temperature", "created_at",
        "updated_at", "default_voice_language", "use_personality_system", "fallback_personality_id",
        "intent_recognition_enabled", "intent_confidence_threshold", "total_personality_switches",
        "intent_recognition_accuracy",
    ),
)  # fmt: skip
SUPPORT_NUMBERS = Table(
    "public",
    "support_team_numbers",
    ("id", "user_id", "whatsapp_number", "is_active", "created_at", "updated_at", "whatsapp_instance_id"),
    optional=True,
)
CONVERSATIONS = Table(
    "public",
    "whatsapp_conversations",
    ("id", "instance_id", "user_phone", "started_at", "last_activity", "status", "conversation_data"),
)
MESSAGES = Table(
    "public",
    "whatsapp_conversation_messages",
    ("id", "conversation_id", "timestamp", "role", "content", "message_id", "metadata"),
)
INTERACTIONS = Table(
    "public",
    "whatsapp_ai_interactions",
    (
        "id", "whatsapp_instance_id", "user_message", "user_phone", "ai_response", "context_token_count",
        "search_result_count", "response_model", "prompt_tokens", "completion_tokens", "total_tokens", "created_at",
        "updated_at", "metadata",
    ),
)  # fmt: skip
ESCALATIONS = Table(
    "public",
    "escalated_conversations",
    (
        "id", "whatsapp_number", "instance_id", "escalated_at", "reason", "conversation_context", "resolved_at",
        "resolved_by", "created_at",
    ),
)  # fmt: skip
CUSTOMERS = Table(
    "public",
    "customer_profiles",
    (
        "id", "whatsapp_instance_id", "phone_number", "name", "email", "company", "customer_stage", "tags",
        "conversation_summary", "key_points", "preferences", "last_interaction", "first_interaction", "total_messages",
        "ai_interactions", "customer_intent", "customer_mood", "urgency_level", "communication_style", "journey_stage",
        "created_at", "updated_at", "last_summary_update", "action_items",
    ),
    optional=True,
)  # fmt: skip

TABLES = (
    USERS,
    PROFILES,
    INSTANCES,
    PERSONALITIES,
    AI_CONFIG,
    SUPPORT_NUMBERS,
    CONVERSATIONS,
    MESSAGES,
    INTERACTIONS,
    ESCALATIONS,
    CUSTOMERS,
)
