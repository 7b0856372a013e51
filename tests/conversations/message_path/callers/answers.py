"""What the message path's functions answer. Rows of tables come as the database's JSON: moments are ISO 8601 texts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypedDict
from uuid import UUID

from conversations.answers import ConversationContext, InstanceRow, RecentInteraction
from usage.answers import AIUsage
from waops.database import moments


class AIConfigRow(TypedDict):
    """AI settings of a WhatsApp number. Deployments have further columns."""

    id: str
    user_id: str
    whatsapp_instance_id: str
    system_prompt: str
    is_active: bool
    temperature: float


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
            timestamp=moments.read(answer["timestamp"]),
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
class Turn:
    """Who answers a message. `state`: see docs/message-path.md. `token` is None unless the turn is this caller's.

    `stored`: of reply_ready, whether the reply is stored. `is_escalated`: of turn_state, end_turn and turn_sent.
    """

    state: str
    token: UUID | None = None
    attempt: int | None = None
    leased_until: datetime | None = None
    quota_reserved: bool = False
    superseded_by: UUID | None = None
    outcome: str | None = None
    stored: bool | None = None
    is_escalated: bool | None = None

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        token, later, until = (answer.get(name) for name in ("token", "superseded_by", "leased_until"))
        return cls(
            state=answer["state"],
            token=token and UUID(token),
            attempt=answer.get("attempt"),
            leased_until=until and datetime.fromisoformat(until),
            quota_reserved=answer.get("quota_reserved", False),
            superseded_by=later and UUID(later),
            outcome=answer.get("outcome"),
            stored=answer.get("stored"),
            is_escalated=answer.get("is_escalated"),
        )


@dataclass(frozen=True)
class ArrivedMessage:
    """A customer's message, stored, and what the AI needs to answer it.

    `quota` is checked, not counted; with a turn it is reserved. `turn` is None unless it was asked for.
    """

    message: StoredMessage
    created: bool
    reactivated: bool
    context: ConversationContext
    ai_config: AIConfigRow | None
    quota: AIUsage
    turn: Turn | None

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        return cls(
            message=StoredMessage.from_json(answer),
            created=answer["created"],
            reactivated=answer["reactivated"],
            context=ConversationContext.from_json(answer),
            ai_config=answer["ai_config"],
            quota=AIUsage.from_json(answer["quota"]),
            turn=answer["turn"] and Turn.from_json(answer["turn"]),
        )


@dataclass(frozen=True)
class StoredReply:
    """`interaction_id`: None if none was given, or the reply is a duplicate. `quota`: whether the reply was counted.

    `message` is None if the turn is no longer held; `turn` is None if no turn was given.
    """

    message: StoredMessage | None
    interaction_id: UUID | None
    quota: AIUsage
    is_escalated: bool
    turn: Turn | None

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        interaction_id = answer["interaction_id"]
        return cls(
            message=StoredMessage.from_json(answer) if answer["message_id"] else None,
            interaction_id=interaction_id and UUID(interaction_id),
            quota=AIUsage.from_json(answer["quota"]),
            is_escalated=answer["is_escalated"],
            turn=answer["turn"] and Turn.from_json(answer["turn"]),
        )


@dataclass(frozen=True)
class PersonalityUsage:
    """`updated`: how many personalities were counted. `unknown`: ids of none, in order."""

    updated: int
    unknown: tuple[UUID, ...]

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> Self:
        return cls(answer["updated"], tuple(UUID(unknown) for unknown in answer["unknown"]))
