"""The result of get_conversation_with_context. Rows are the database's JSON: times are ISO 8601 texts."""

from dataclasses import dataclass
from typing import Any, NotRequired, Self, TypedDict


class ConversationRow(TypedDict):
    id: str
    instance_id: str
    user_phone: str
    started_at: str
    last_activity: str
    status: str
    conversation_data: Any


class InstanceRow(TypedDict):
    """Settings of a WhatsApp number. Deployments have further columns."""

    id: str
    user_id: str
    instance_name: str
    status: str
    escalation_enabled: bool | None
    escalation_message: str | None
    escalated_conversation_message: str | None
    escalation_keywords: list[str] | None
    smart_escalation_enabled: NotRequired[bool | None]
    keyword_escalation_enabled: NotRequired[bool | None]
    custom_escalation_enabled: NotRequired[bool | None]
    custom_escalation_instructions: NotRequired[str | None]


class RecentMessage(TypedDict):
    role: str
    content: str
    timestamp: str


class RecentInteraction(TypedDict):
    metadata: Any
    created_at: str
    user_message: str


class UnreadableJson(ValueError):  # noqa: N818
    """JSON that Postgres can store and Python cannot read."""


@dataclass(frozen=True)
class ConversationContext:
    """`conversation` is None if none is active, `instance_config` for an unknown number. Messages and the up
    to five interactions are newest first.
    """

    conversation: ConversationRow | None
    is_escalated: bool
    recent_messages: list[RecentMessage]
    recent_interactions: list[RecentInteraction]
    instance_config: InstanceRow | None

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        """Parse the function's result. Raises UnreadableJson for one that stayed text: tenants store numbers and depths
        beyond Python's limits.
        """
        if not isinstance(answer, dict):
            raise UnreadableJson
        return cls(**{name: answer[name] for name in cls.__dataclass_fields__})
