"""What the message path's functions answer. Rows of tables come as the database's JSON: moments are ISO 8601 texts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NotRequired, Self, TypedDict
from uuid import UUID

from usage.answers import AIUsage


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


class AIConfigRow(TypedDict):
    """AI settings of a WhatsApp number. Deployments have further columns."""

    id: str
    user_id: str
    whatsapp_instance_id: str
    system_prompt: str
    is_active: bool
    temperature: float


class RecentMessage(TypedDict):
    role: str
    content: str
    timestamp: str


class RecentInteraction(TypedDict):
    metadata: Any
    created_at: str
    user_message: str


@dataclass(frozen=True)
class StoredMessage:
    """`message_count`: the conversation's messages, this one too. `duplicate`: it was there before, as `message_id`."""

    conversation_id: UUID
    message_id: UUID
    message_count: int
    duplicate: bool
    timestamp: datetime

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        return cls(
            conversation_id=UUID(answer["conversation_id"]),
            message_id=UUID(answer["message_id"]),
            message_count=answer["message_count"],
            duplicate=answer["duplicate"],
            timestamp=datetime.fromisoformat(answer["timestamp"]),
        )


@dataclass(frozen=True)
class StoredMessages:
    """`messages` follow the order given; each says how many the conversation has after the last one."""

    conversation_id: UUID
    message_count: int
    stored: int
    duplicates: int
    messages: tuple[StoredMessage, ...]

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        shared = {"conversation_id": answer["conversation_id"], "message_count": answer["message_count"]}
        return cls(
            conversation_id=UUID(answer["conversation_id"]),
            message_count=answer["message_count"],
            stored=answer["stored"],
            duplicates=answer["duplicates"],
            messages=tuple(StoredMessage.from_json({**shared, **message}) for message in answer["messages"]),
        )


@dataclass(frozen=True)
class InstanceState:
    """`instance_config` is None for an unknown number; at most five interactions, newest first."""

    is_escalated: bool
    instance_config: InstanceRow | None
    recent_interactions: list[RecentInteraction]

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        return cls(**{name: answer[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class ConversationContext(InstanceState):
    """`conversation` is None if none is active; its messages are newest first."""

    conversation: ConversationRow | None
    recent_messages: list[RecentMessage]


@dataclass(frozen=True)
class ArrivedMessage:
    """A customer's message, stored, and what the AI needs to answer it. `quota` is checked, not counted."""

    message: StoredMessage
    created: bool
    reactivated: bool
    context: ConversationContext
    ai_config: AIConfigRow | None
    quota: AIUsage

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        return cls(
            message=StoredMessage.from_json(answer),
            created=answer["created"],
            reactivated=answer["reactivated"],
            context=ConversationContext.from_json(answer),
            ai_config=answer["ai_config"],
            quota=AIUsage.from_json(answer["quota"]),
        )


@dataclass(frozen=True)
class StoredReply:
    """`interaction_id`: None if none was given, or the reply is a duplicate. `quota`: whether the reply was counted."""

    message: StoredMessage
    interaction_id: UUID | None
    quota: AIUsage

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        interaction_id = answer["interaction_id"]
        return cls(
            message=StoredMessage.from_json(answer),
            interaction_id=interaction_id and UUID(interaction_id),
            quota=AIUsage.from_json(answer["quota"]),
        )


@dataclass(frozen=True)
class PersonalityUsage:
    """`updated`: how many personalities were counted. `unknown`: ids of none, in order."""

    updated: int
    unknown: tuple[UUID, ...]

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        return cls(answer["updated"], tuple(UUID(unknown) for unknown in answer["unknown"]))
