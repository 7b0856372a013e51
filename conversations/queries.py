"""Every read of conversations, messages and the AI's answers that a page needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Func, Q
from django.db.models.functions import Left

from waops.live_schema import ForeignTableQuerySet
from waops.personal import sees_numbers
from waops.phones import digits

if TYPE_CHECKING:
    from conversations.models import Conversation, Message

EXCERPT = 300
"""Characters of a text that a list reads; messages may be a megabyte."""

PAGE = 50
"""Messages of a conversation shown at once."""


def phone_begins(field: str, written: str) -> Q | None:
    """Condition for numbers that begin with a written one, in any form; None if that is no number.

    A range, which an ordinary index serves under any collation; LIKE alone would need an index of its own. Whoever may
    not see numbers finds whole ones only.
    """
    prefix = digits(written)
    if not prefix:
        return None
    if not sees_numbers():  # digit by digit any number could be found out
        return Q(**{field: prefix})
    condition = Q(**{f"{field}__gte": prefix, f"{field}__startswith": prefix})
    if stem := prefix.rstrip("9"):
        condition &= Q(**{f"{field}__lt": f"{stem[:-1]}{int(stem[-1]) + 1}"})
    return condition


class ConversationQuerySet(ForeignTableQuerySet):
    def search(self, written_number: str) -> "ConversationQuerySet":
        """By how the customer's number begins; an id that is no number, whole."""
        return self.filter(phone_begins("user_phone", written_number) or Q(user_phone=written_number.strip()))

    def without_data(self) -> "ConversationQuerySet":
        """Without the service's own data, which lists do not show."""
        return self.defer("conversation_data")


class MessageQuerySet(ForeignTableQuerySet):
    def search(self, words: str) -> "MessageQuerySet":
        """Messages with all these words, "quoted phrases" or alternatives by OR, by the index on their text."""
        document = Func(
            "content",
            function="to_tsvector",
            template="%(function)s('simple'::regconfig, %(expressions)s)",
            output_field=SearchVectorField(),
        )
        query = SearchQuery(words, config="simple", search_type="websearch")
        found: MessageQuerySet = self.alias(document=document).filter(document=query)
        return found

    def excerpts(self) -> "MessageQuerySet":
        """With the beginning of the text, as `excerpt`, instead of all of it."""
        begun: MessageQuerySet = self.annotate(excerpt=Left("content", EXCERPT))
        return begun.defer("content", "metadata")


class AIInteractionQuerySet(ForeignTableQuerySet):
    def search(self, written_number: str) -> "AIInteractionQuerySet":
        """By the customer's whole number.

        The index begins with the WhatsApp number, so those that know the customer are found first.
        """
        from conversations.models import Conversation  # the models name this class

        phone = digits(written_number) or written_number.strip()
        known = Conversation.objects.filter(user_phone=phone).values("instance_id")
        return self.filter(user_phone=phone, instance__in=known)

    def excerpts(self) -> "AIInteractionQuerySet":
        """With the beginnings of both texts, as `question` and `answer`, instead of all of them."""
        begun: AIInteractionQuerySet = self.annotate(
            question=Left("user_message", EXCERPT), answer=Left("ai_response", EXCERPT)
        )
        return begun.defer("user_message", "ai_response", "metadata")


@dataclass(frozen=True)
class MessagePage:
    """Messages, newest first, and the cursor of the page with the ones before them; empty if these are the first."""

    messages: Sequence["Message"]
    older: str


def message_page(conversation: "Conversation", before: str = "") -> MessagePage:
    """The newest messages of a conversation, or those before a cursor. Raises ValueError for a malformed cursor.

    A cursor names the last message shown, so that messages which arrive meanwhile move nothing.
    """
    messages: Any = conversation.messages.order_by("-timestamp", "-id")
    if before:
        timestamp, message_id = _parse(before)
        messages = messages.filter(timestamp__lte=timestamp).filter(Q(timestamp__lt=timestamp) | Q(id__lt=message_id))
    found = list(messages[: PAGE + 1])
    page = found[:PAGE]
    return MessagePage(page, f"{page[-1].timestamp.isoformat()}_{page[-1].pk}" if len(found) > PAGE else "")


def _parse(cursor: str) -> tuple[datetime, UUID]:
    timestamp, separator, message_id = cursor.partition("_")
    moment = datetime.fromisoformat(timestamp)
    if not separator or moment.tzinfo is None:
        raise ValueError(cursor)
    return moment, UUID(message_id)
