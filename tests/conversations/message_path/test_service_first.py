"""The service's rows and triggers, whatever they are, neither lose a message nor put it out of order."""

import re
import threading
import time

import psycopg
import pytest
from django.test import override_settings

from tests import factories
from tests.conversations.message_path.callers import procedures
from tests.conversations.message_path.rows import Rows
from tests.conversations.message_path.test_message_count import INSERT, STORE
from waops.database.calls import CallRefused
from waops.dev.embedded.server import SUPERUSER

FULL = 2_147_483_647
MESSAGES = "public.whatsapp_conversation_messages"
NEWEST_FIRST = (
    f'SELECT array_agg(content ORDER BY "timestamp" DESC, id DESC) FROM {MESSAGES} WHERE conversation_id = %s'
)
SAY = "SELECT public.store_message_with_update(%s, 'user', %s)"


def trigger(rows: Rows, table: str, body: str, when: str = "BEFORE INSERT") -> None:
    rows.connection.execute(
        f"CREATE FUNCTION public.of_the_service() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
        f" CREATE TRIGGER of_the_service {when} ON public.{table} FOR EACH ROW"
        " EXECUTE FUNCTION public.of_the_service()"
    )


UNQUALIFIED = {
    "profiles": ("AFTER UPDATE", "PERFORM FROM profiles; RETURN NULL;"),
    "whatsapp_ai_interactions": ("AFTER INSERT", "PERFORM FROM whatsapp_ai_interactions; RETURN NULL;"),
    "whatsapp_conversations": ("AFTER INSERT", "PERFORM FROM whatsapp_conversations; RETURN NULL;"),
    "whatsapp_conversation_messages": ("AFTER INSERT", "PERFORM FROM whatsapp_conversations; RETURN NULL;"),
}


@pytest.mark.parametrize("table", UNQUALIFIED)
def test_a_service_trigger_with_unqualified_names_goes_on_working(ours: Rows, table: str):
    when, body = UNQUALIFIED[table]
    trigger(ours, table, body, when)
    arrived = ours.value("SELECT public.message_arrived(%s, '20100', 'hello', 'a')", ours.instance())
    reply = """SELECT public.reply_ready(%s, 'hi', 'b', '{"user_message": "hello"}')"""
    answer = ours.value(reply, arrived["conversation_id"])
    if table != "profiles":  # check_and_update_ai_usage has a separate path
        assert answer["quota"]["errorMessage"] is None
    assert answer["message_count"] == 2


def test_every_function_call_of_ours_is_qualified(ours: Rows):
    """An overload in `public` with better matching arguments would be called otherwise."""
    bodies = ours.connection.execute(
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = ANY (%s)",
        [procedures.__all__],
    ).fetchall()
    assert len(bodies) == len(procedures.__all__)
    known = {name for (name,) in ours.connection.execute("SELECT DISTINCT proname::text FROM pg_proc")}
    for name, body in bodies:
        code = re.sub(r"--.*", "", body)
        called = re.findall(r"(?<![\w.\"])([a-z_]+)\s*\(", code)
        syntax = {"coalesce", "nullif", "greatest", "least", "exists", "array", "row", "any", "all"}
        columns = {"id", "timestamp", "instance_id", "message"}
        assert {one for one in called if one in known} - syntax - columns == set(), name


def test_overloads_in_public_are_not_called(ours: Rows):
    overloads = [
        "format(text, uuid)",
        "format(text, integer)",
        "jsonb_build_object(text, numeric, text, timestamptz)",
        "jsonb_build_object(text, timestamptz, text, bigint, text, text)",
        "json_build_object(text, boolean, text, uuid, text, uuid, text, bigint, text, boolean, text, timestamptz)",
        "left(text, integer)",
        "length(text)",
        "now()",
    ]
    for overload in overloads:
        ours.connection.execute(
            f"CREATE FUNCTION public.{overload} RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$"
        )
    ours.connection.execute(
        "CREATE FUNCTION public.times(integer, numeric) RETURNS numeric LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'called'; END $$;"
        " CREATE OPERATOR public.* (LEFTARG = integer, RIGHTARG = numeric, FUNCTION = public.times);"
        " CREATE FUNCTION public.of_key(jsonb, jsonb) RETURNS jsonb LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'called'; END $$;"
        " CREATE OPERATOR public.-> (LEFTARG = jsonb, RIGHTARG = jsonb, FUNCTION = public.of_key);"
        " CREATE OPERATOR public.->> (LEFTARG = jsonb, RIGHTARG = jsonb, FUNCTION = public.of_key)"
    )
    arrived = ours.value("SELECT public.message_arrived(%s, '20100', 'hello', 'a')", ours.instance())
    conversation = arrived["conversation_id"]
    assert ours.value("""SELECT public.reply_ready(%s, 'hi', 'b', '{"user_message": "x"}')""", conversation)
    batch = """SELECT public.store_messages(%s, '[{"role": "user", "content": "x"}]')"""
    assert ours.value(batch, conversation)["message_count"] == 3


def test_a_message_that_a_trigger_discards_is_a_distinct_error(ours: Rows):
    """Not 40001, which PostgREST retries without limit."""
    conversation = ours.conversation()
    trigger(ours, "whatsapp_conversation_messages", "RETURN NULL;")
    for query in (
        STORE,
        "SELECT public.store_message_with_update(%s, 'user', 'x', 'an id')",
        """SELECT public.store_messages(%s, '[{"role": "user", "content": "x"}]')""",
        "SELECT public.reply_ready(%s, 'hi')",
    ):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=r"a trigger on .* discarded it"):
            ours.value(query, conversation)


def test_a_conversation_that_a_trigger_discards_is_a_distinct_error(ours: Rows):
    instance = ours.instance()
    trigger(ours, "whatsapp_conversations", "RETURN NULL;")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="whatsapp_conversations discarded it"):
        ours.value("SELECT public.message_arrived(%s, '20100', 'x')", instance)


UNIQUE = "uniq_messages_conversation_message_id"


@pytest.mark.parametrize("fault", ["dropped", "invalid", "renamed"])
def test_messages_are_stored_without_our_unique_index(ours: Rows, fault: str):
    conversation = ours.conversation()
    with psycopg.connect(ours.connection.info.dsn, user=SUPERUSER, autocommit=True) as superuser:
        superuser.execute(
            {
                "dropped": f"DROP INDEX public.{UNIQUE}",
                "invalid": f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.{UNIQUE}'::regclass",
                "renamed": f"ALTER INDEX public.{UNIQUE} RENAME TO elsewhere",
            }[fault]
        )
    say = "SELECT public.store_message_with_update(%s, 'user', 'x', 'an id')"
    first, again = ours.value(say, conversation), ours.value(say, conversation)
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert again["message_id"] == first["message_id"]
    batch = ours.value(
        """SELECT public.store_messages(%s, '[
            {"role": "user", "content": "x", "message_id": "an id"},
            {"role": "user", "content": "y", "message_id": "b"},
            {"role": "user", "content": "y", "message_id": "b"},
            {"role": "user", "content": "z"},
            {"role": "user", "content": "z", "message_id": ""}
        ]')""",
        conversation,
    )
    assert [one["duplicate"] for one in batch["messages"]] == [True, False, True, False, False]
    assert batch["message_count"] == ours.stored(conversation) == 4


def test_several_active_ai_settings_lose_no_message(ours: Rows):
    """Where a deployment lacks the unique key."""
    business = ours.business()
    instance = ours.instance(business)
    ours.connection.execute(
        "ALTER TABLE public.whatsapp_ai_config DROP CONSTRAINT whatsapp_ai_config_whatsapp_instance_id_key"
    )
    configs = {str(ours.ai_config(instance, business)) for _ in range(2)}
    assert ours.value("SELECT public.message_arrived(%s, '20100', 'x')", instance)["ai_config"]["id"] in configs


def test_no_function_raises_what_postgrest_repeats(ours: Rows):
    query = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosrc LIKE '%%40001''%%'"
    assert ours.value(query) == 0


def test_a_broken_quota_function_loses_no_message(ours: Rows):
    instance = ours.instance()
    ours.connection.execute(
        "CREATE OR REPLACE FUNCTION public.check_and_update_ai_usage(p_user_id uuid, p_increment boolean DEFAULT false)"
        " RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM FROM gone; END $$"
    )
    arrived = ours.value("SELECT public.message_arrived(%s, '20100', 'x')", instance)
    replied = ours.value("SELECT public.reply_ready(%s, 'hi')", arrived["conversation_id"])
    for quota in (arrived["quota"], replied["quota"]):
        assert quota["allowed"] is True
        assert "gone" in quota["errorMessage"]
    assert ours.stored(arrived["conversation_id"]) == 2


@pytest.mark.parametrize("batch", [False, True])
def test_full_counters_refuse_no_reply(ours: Rows, batch: bool):
    business = ours.business()
    instance = ours.instance(business)
    personality, config = ours.personality(instance, business), ours.ai_config(instance, business)
    ours.connection.execute("UPDATE public.ai_personalities SET usage_count = %s", [FULL])
    ours.connection.execute("UPDATE public.whatsapp_ai_config SET total_personality_switches = %s", [FULL - 1])
    for _ in range(2):
        if batch:
            ours.value("SELECT public.update_personality_usage_batch(%s)", [personality] * 3)
        else:
            ours.value(
                "SELECT public.reply_ready(%s, 'hi', NULL, NULL, NULL, %s)", ours.conversation(instance), personality
            )
    assert ours.value("SELECT usage_count FROM public.ai_personalities WHERE id = %s", personality) == FULL
    query = "SELECT total_personality_switches FROM public.whatsapp_ai_config WHERE id = %s"
    assert ours.value(query, config) == FULL


NUMBERS = {
    "412.0": 412, "412": 412, '"412"': 412, "412.5": 413, "-5": -5, "1e3": 1000, "2147483647": FULL,
    "2147483648": None, "1e300": None, '"many"': None, "true": None, "[1]": None, "{}": None, "null": None,
}  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_a_bad_number_of_an_interaction_loses_no_reply(ours: Rows, number: str):
    conversation = ours.conversation()
    details = f'{{"user_message": "x", "total_tokens": {number}, "metadata": [1]}}'
    answer = ours.value("SELECT public.reply_ready(%s, 'hi', NULL, %s)", conversation, details)
    query = "SELECT total_tokens FROM public.whatsapp_ai_interactions WHERE id = %s"
    assert ours.value(query, answer["interaction_id"]) == NUMBERS[number]


@pytest.mark.django_db
@pytest.mark.parametrize("switch", [frozenset(), frozenset({"all"})])
def test_both_paths_take_the_same_numbers(switch: frozenset):
    conversation = factories.conversation()
    with override_settings(MESSAGE_PATH_KILL_SWITCH=switch):
        for given in (412.0, "412", 10**10, "many", None, [1]):
            details = {"user_message": "x", "total_tokens": given}
            assert procedures.reply_ready(conversation.pk, "hi", None, details).interaction_id  # type: ignore[arg-type]
        with pytest.raises(CallRefused, match="at most 255"):
            procedures.get_instance_state(conversation.instance_id, "2" * 6000)


def test_messages_of_one_transaction_have_different_times(ours: Rows):
    conversation = ours.conversation()
    with ours.connection.transaction():
        for number in range(20):
            ours.value(SAY, conversation, str(number))
        ours.value(
            """SELECT public.store_messages(%s, '[{"role": "user", "content": "20"},
            {"role": "user", "content": "21"}]')""",
            conversation,
        )
    assert ours.value(NEWEST_FIRST, conversation) == [str(number) for number in reversed(range(22))]
    assert ours.value(f'SELECT count(DISTINCT "timestamp") FROM {MESSAGES}') == 22


def test_a_call_that_began_earlier_and_stores_later_is_newer(ours: Rows):
    """Its time is taken under the conversation's lock; last_activity never goes back."""
    conversation = ours.conversation()
    activity = "SELECT last_activity FROM public.whatsapp_conversations WHERE id = %s"
    with psycopg.connect(ours.connection.info.dsn) as early:
        early.execute("SELECT now()")
        ours.value(SAY, conversation, "first")
        before = ours.value(activity, conversation)
        early.execute(SAY, [conversation, "second"])
    assert ours.value(NEWEST_FIRST, conversation) == ["second", "first"]
    assert ours.value(activity, conversation) > before


def test_overlapping_calls_answer_their_own_message_first(ours: Rows):
    instance = ours.instance()
    arrive = "SELECT public.message_arrived(%s, '20100', %s)"
    ours.value(arrive, instance, "before")
    answers: list[tuple[str, str]] = []

    def call(text: str) -> None:
        with psycopg.connect(ours.connection.info.dsn, autocommit=True) as connection:
            for number in range(10):
                said = f"{text}{number}"
                answers.append((said, Rows(connection).value(arrive, instance, said)["recent_messages"][0]["content"]))

    threads = [threading.Thread(target=call, args=[text]) for text in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(said, first) for said, first in answers if said != first] == []
    assert len(answers) == 40


HOSTILE = ["infinity", "-infinity", "294276-12-31 23:59:59+00", "4713-01-01 00:00:00+00 BC"]


@pytest.mark.parametrize("moment", HOSTILE)
def test_hostile_times_stop_no_message(ours: Rows, moment: str):
    conversation = ours.conversation(last_activity=moment)
    ours.connection.execute(
        f"""INSERT INTO {MESSAGES} (conversation_id, "timestamp", role, content) VALUES (%s, %s, 'user', 'hostile')""",
        [conversation, moment],
    )
    ours.connection.execute("UPDATE public.whatsapp_conversations SET last_activity = %s", [moment])
    for query in (STORE, """SELECT public.store_messages(%s, '[{"role": "user", "content": "x"}]')"""):
        ours.value(query, conversation)
    about_now = "BETWEEN now() - interval '1 hour' AND now() + interval '1 hour'"
    query = f'SELECT count(*) FROM {MESSAGES} WHERE "timestamp" {about_now}'
    assert ours.value(query) == 2
    assert ours.value(f"SELECT last_activity {about_now} FROM public.whatsapp_conversations") is True


@pytest.fixture(scope="module")
def many_words() -> str:
    return " ".join(f"w{number:x}" for number in range(300_000))


def test_a_text_too_large_for_the_index_on_words_is_refused(ours: Rows, many_words: str):
    conversation = ours.conversation()
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="p_content has too many different words"):
        ours.value(SAY, conversation, many_words)
    batch = (
        "SELECT public.store_messages(%s, jsonb_build_array(jsonb_build_object('role', 'user', 'content', %s::text)))"
    )
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="Element 1 of p_messages has too many different"):
        ours.value(batch, conversation, many_words)
    ours.connection.execute("DROP INDEX public.idx_messages_content_gin")
    assert ours.value(SAY, conversation, many_words)["message_count"] == 1


def test_a_phone_too_long_for_an_index_is_refused(ours: Rows):
    for call in (
        "get_conversation_with_context(%s, %s)",
        "get_instance_state(%s, %s)",
        "message_arrived(%s, %s, 'x')",
    ):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="p_user_phone has 6000 characters"):
            ours.value(f"SELECT public.{call}", ours.instance(), "2" * 6000)


def test_a_plain_insert_waits_for_no_long_time_when_the_count_is_held(ours: Rows):
    """The bound is our lock_timeout, not the service's patience: the server's own time-out would cancel it."""
    conversation = ours.conversation()
    ours.value(STORE, conversation)
    with psycopg.connect(ours.connection.info.dsn) as holder:
        holder.execute("SELECT FROM waops.message_count FOR UPDATE")
        begun = time.monotonic()
        ours.connection.execute("SET statement_timeout = '1s'")
        with ours.connection.transaction():
            for _ in range(100):
                ours.connection.execute(INSERT, [conversation])
        assert time.monotonic() - begun < 30
