"""Find out which staff member wrote which messages of a conversation."""

from collections.abc import Iterable
from uuid import UUID

from conversations.models import Message
from escalations.models import Reply
from escalations.replies import delivery


def replies_of(messages: Iterable[Message]) -> dict[UUID, tuple[str, str, str]]:
    """The replies among these messages, by message id: author, WhatsApp's id as stored, and delivery in words.

    No query if none of them is a reply.
    """
    ids = {message.message_id: message.pk for message in messages if message.is_reply}
    if not ids:
        return {}
    replies = list(Reply.objects.filter(message_id__in=list(ids)))
    delivery.look_up(replies)
    return {ids[reply.message_id]: (reply.author_name, reply.message_id or "", reply.delivered) for reply in replies}
