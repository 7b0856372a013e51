"""Every read of conversations, messages and AI replies that a page needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Func, Q
from django.db.models.functions import Left

from waops.access.personal import ending_with
from waops.access.phones import digits
from waops.database.live_schema import ForeignTableQuerySet
from waops.database.long_text import LONGEST
from waops.database.paging import Cursor, newest_after, oldest_after

if TYPE_CHECKING:
    from conversations.models import Conversation, Message

EXCERPT = 300
"""Characters of a text that a list reads; messages can have a megabyte."""

PAGE = 50
"""Messages of a conversation shown per page."""
FIRST = UUID(int=0)
"""Comes before every message of the same moment."""


def phone_begins(field: str, written: str) -> Q | None:
    """Condition for numbers that begin with a written one, in any form; None if that is not a number.

    A range, which an ordinary index supports under any collation; LIKE would need a separate index.
    """
    prefix = digits(written)
    if not prefix:
        return None
    condition = Q(**{f"{field}__gte": prefix, f"{field}__startswith": prefix})
    if stem := prefix.rstrip("9"):
        condition &= Q(**{f"{field}__lt": f"{stem[:-1]}{int(stem[-1]) + 1}"})
    return condition


class ConversationQuerySet(ForeignTableQuerySet):
    def search(self, written_number: str) -> "ConversationQuerySet":
        """Conversations whose customer's number begins like this; an id that is not a number must match in full."""
        return self.filter(phone_begins("user_phone", written_number) or Q(user_phone=written_number.strip()))

    def without_data(self) -> "ConversationQuerySet":
        """Leave out the service's own data, which lists do not show."""
        return self.defer("conversation_data")


class MessageQuerySet(ForeignTableQuerySet):
    def search(self, words: str) -> "MessageQuerySet":
        """Messages with all these words, "quoted phrases" or alternatives with OR, using the index on their text."""
        document = Func(
            "content",
            function="to_tsvector",
            template="%(function)s('simple'::regconfig, %(expressions)s)",
            output_field=SearchVectorField(),
        )
        query = SearchQuery(words, config="simple", search_type="websearch")
        found: MessageQuerySet = self.alias(document=document).filter(document=query)
        return found

    def beginnings(self) -> "MessageQuerySet":
        """Load only as much of the text as a page shows, as `beginning`."""
        begun: MessageQuerySet = self.annotate(beginning=Left("content", LONGEST + 1))
        return begun.defer("content", "metadata")

    def excerpts(self) -> "MessageQuerySet":
        """Load only the beginning of the text, as `excerpt`."""
        begun: MessageQuerySet = self.annotate(excerpt=Left("content", EXCERPT))
        return begun.defer("content", "metadata")


class AIInteractionQuerySet(ForeignTableQuerySet):
    def search(self, written_number: str) -> "AIInteractionQuerySet":
        """AI replies to the customer with this full number.

        The index begins with the WhatsApp number, so the WhatsApp numbers that know the customer are looked up first.
        """
        phone = digits(written_number) or written_number.strip()
        known = _conversations().filter(user_phone=phone).values("instance_id")
        return self.filter(user_phone=phone, instance__in=known)

    def ending_with(self, last: str) -> "AIInteractionQuerySet":
        """AI replies to customers whose number ends with these four digits."""
        known = ending_with(_conversations(), "user_phone", last)
        return self.filter(user_phone__in=known.values("user_phone"), instance__in=known.values("instance_id"))

    def excerpts(self) -> "AIInteractionQuerySet":
        """Load only the beginnings of both texts, as `question` and `answer`."""
        begun: AIInteractionQuerySet = self.annotate(
            question=Left("user_message", EXCERPT), answer=Left("ai_response", EXCERPT)
        )
        return begun.defer("user_message", "ai_response", "metadata")


def _conversations() -> Any:
    """By name, because the models import this module."""
    return apps.get_model("conversations", "Conversation").objects.all()


@dataclass(frozen=True)
class MessagePage:
    """Messages, newest first, and the cursors of the pages before and after them; empty if there is none."""

    messages: Sequence["Message"]
    older: str
    newer: str = ""


def message_page(
    conversation: "Conversation", before: str = "", *, after: str = "", at: datetime | None = None
) -> MessagePage:
    """The newest messages of a conversation, those before or after a cursor, or those around a time.

    A cursor identifies the last message shown, so messages that arrive in the meantime shift nothing. Raises ValueError
    for a malformed cursor.
    """
    earlier: list[Any] = []
    later: list[Any] = []
    size = PAGE
    if at is not None:
        size = PAGE // 2
        earlier, later = (
            list(_before(conversation, Cursor(at, FIRST), size)),
            list(_after(conversation, Cursor(at, FIRST), size)),
        )
    elif after:
        later = list(_after(conversation, Cursor.parse(after), size))
    elif before:
        earlier = list(_before(conversation, Cursor.parse(before), size))
    else:
        earlier = list(_newest(conversation)[: size + 1])
    page = [*reversed(later[:size]), *earlier[:size]]
    for message in page:
        message.content = message.beginning
    # The message at a cursor comes before those after it, and the other way round.
    has_older, has_newer = len(earlier) > size or bool(after), len(later) > size or bool(before)
    return MessagePage(
        page,
        older=str(Cursor(page[-1].timestamp, page[-1].pk)) if page and has_older else "",
        newer=str(Cursor(page[0].timestamp, page[0].pk)) if page and has_newer else "",
    )


def _newest(conversation: "Conversation") -> Any:
    messages: Any = conversation.messages
    return messages.order_by("-timestamp", "-id").beginnings()


def _before(conversation: "Conversation", cursor: Cursor, size: int) -> Any:
    """Newest first, one more than `size`."""
    return newest_after(_newest(conversation), "timestamp", cursor)[: size + 1]


def _after(conversation: "Conversation", cursor: Cursor, size: int) -> Any:
    """Oldest first, one more than `size`."""
    return oldest_after(_newest(conversation), "timestamp", cursor)[: size + 1]
