"""Whatever is passed: refused with an SQLSTATE and nothing stored, or stored byte for byte."""

from uuid import UUID

import psycopg
import pytest
from django.db import connection

from conversations.models import Conversation, Message
from tests import factories
from tests.conversations.message_path.callers import procedures
from tests.conversations.message_path.rows import Rows
from waops.database.calls import CallRefused

NOBODY = UUID("00000000-0000-0000-0000-000000000000")
STORE = "SELECT public.store_message_with_update(%s, %s, %s, %s)"

EXACT = {
    "empty": "",
    "arabic": "السلام عليكم، أين طلبي؟",
    "emoji": "👩‍👩‍👧‍👦🇪🇬👍🏽",
    "bidi controls": "\u202eevil\u202c \u2066isolated\u2069 \u200f\u061c",
    "line ends": "a\r\nb\nc\r",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85\u2028\ufeff",
    "not characters": "\ufffe\uffff\U0010ffff",
    "decomposed": "e\u0301",
    "SQL": "'; DROP TABLE profiles; -- %s \\ $$",
    "a megabyte": "سطر طويل " * 66_000,
}


@pytest.mark.parametrize("name", EXACT)
def test_text_is_stored_byte_for_byte(ours: Rows, name: str):
    conversation = ours.conversation()
    ours.value(STORE, conversation, "user", EXACT[name], "a")
    query = "SELECT convert_to(content, 'UTF8') FROM public.whatsapp_conversation_messages WHERE conversation_id = %s"
    assert ours.value(query, conversation) == EXACT[name].encode()


REFUSED = {
    "unknown conversation": ((NOBODY, "user", "x", None), "23503", f"Conversation {NOBODY} does not exist"),
    "no conversation": ((None, "user", "x", None), "22004", "p_conversation_id must not be null"),
    "bad role": (("here", "system", "x", None), "22023", 'p_role must be "user" or "assistant", not "system"'),
    "empty role": (("here", "", "x", None), "22023", 'p_role must be "user" or "assistant", not ""'),
    "no role": (("here", None, "x", None), "22004", "p_role must not be null"),
    "no content": (("here", "user", None, None), "22004", "p_content must not be null"),
    "long id": (("here", "user", "x", "i" * 513), "22023", "p_message_id has 513 characters; at most 512 are allowed"),
    "wrong uuid": (("no-uuid", "user", "x", None), "22P02", "invalid input syntax for type uuid"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_call_is_refused_and_stores_nothing(ours: Rows, case: str):
    arguments, sqlstate, words = REFUSED[case]
    conversation = ours.conversation()
    before = ours.data(conversation)
    with pytest.raises(psycopg.Error) as refused:
        ours.value(STORE, *[conversation if argument == "here" else argument for argument in arguments])
    assert refused.value.sqlstate == sqlstate
    assert words in str(refused.value)
    assert ours.stored(conversation) == 0
    assert ours.data(conversation) == before


def test_an_empty_message_id_makes_no_duplicates(ours: Rows):
    conversation = ours.conversation()
    assert [ours.value(STORE, conversation, "user", "x", "")["message_count"] for _ in range(2)] == [1, 2]


def test_no_message_id_makes_no_duplicates(ours: Rows):
    conversation = ours.conversation()
    assert [ours.value(STORE, conversation, "user", "x", None)["message_count"] for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("limit", [-1, 1001, 2**31 - 1, None])
def test_a_limit_out_of_range_is_refused(ours: Rows, limit: int | None):
    instance = ours.instance()
    with pytest.raises(psycopg.DataError, match="p_limit"):
        ours.value("SELECT public.get_conversation_with_context(%s, '20100', %s)", instance, limit)
    with pytest.raises(psycopg.DataError, match="p_limit"):
        ours.value("SELECT public.message_arrived(%s, '20100', 'x', NULL, %s)", instance, limit)
    assert ours.value("SELECT count(*) FROM public.whatsapp_conversations") == 0


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ([1, 2], {"value": [1, 2]}),
        ({"context": "words"}, {"context": {"value": "words"}}),
        ({"context": None}, {}),
    ],
)
def test_data_of_another_shape_is_kept(ours: Rows, data: object, kept: dict):
    conversation = ours.conversation(conversation_data=data)
    ours.value(STORE, conversation, "user", "x", None)
    found = ours.data(conversation)
    assert found["context"]["message_count"] == 1
    assert found.get("value") == kept.get("value")
    assert found["context"].items() >= kept.get("context", {}).items()


BAD_BATCHES = {
    "no array": '{"role": "user"}',
    "no object": '["hello"]',
    "no content": '[{"role": "user"}]',
    "content is a number": '[{"role": "user", "content": 5}]',
    "bad role": '[{"role": "system", "content": "x"}]',
    "id is a number": '[{"role": "user", "content": "x", "message_id": 5}]',
}


@pytest.mark.parametrize("case", BAD_BATCHES)
def test_a_bad_batch_stores_nothing_of_it(ours: Rows, case: str):
    conversation = ours.conversation()
    batch = BAD_BATCHES[case].replace("[", '[{"role": "user", "content": "fine"}, ', 1)
    with pytest.raises(psycopg.DataError) as refused:
        ours.value("SELECT public.store_messages(%s, %s)", conversation, batch)
    assert refused.value.sqlstate == "22023"
    assert ours.stored(conversation) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["a\0b", "half a pair \ud83d", "\udc00"])
def test_python_refuses_an_invalid_text_before_sending_it(text: str):
    conversation = factories.conversation()
    for arguments in [(text, None), ("x", text)]:
        with pytest.raises(CallRefused) as refused:
            procedures.store_message_with_update(conversation.pk, "user", *arguments)
        assert refused.value.sqlstate == "22021"
    with pytest.raises(CallRefused):
        procedures.store_messages(conversation.pk, [{"role": "user", "content": text}])
    with pytest.raises(CallRefused):
        procedures.reply_ready(conversation.pk, "x", None, {"user_message": "x", "metadata": {"deep": [text]}})
    assert not Message.objects.filter(conversation=conversation).exists()


@pytest.mark.django_db
def test_a_refusal_leaves_the_callers_transaction_usable():
    instance = factories.instance()
    with pytest.raises(CallRefused, match="does not exist") as refused:
        procedures.message_arrived(NOBODY, "20100", "hello")
    assert refused.value.sqlstate == "23503"
    with pytest.raises(CallRefused, match="Not a UUID"):
        procedures.message_arrived("no-uuid", "20100", "hello")
    with pytest.raises(CallRefused, match="p_limit must be from 0 to 1000, not -1"):
        procedures.message_arrived(instance.pk, "20100", "hello", None, -1)
    with pytest.raises(CallRefused, match="0 characters"):
        procedures.message_arrived(instance.pk, "", "hello")
    assert connection.in_atomic_block
    assert not Conversation.objects.filter(instance=instance).exists()
