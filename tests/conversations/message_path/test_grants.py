"""Who may execute what: the service everything, REST callers without its key nothing."""

import psycopg
import pytest

from tests.conversations.message_path.rows import Rows

NOBODY = "NULL::uuid"
FUNCTIONS = {
    "store_message_with_update": f"{NOBODY}, 'user', 'x'",
    "store_message_and_update_conversation": f"{NOBODY}, 'user', 'x'",
    "store_messages": f"{NOBODY}, '[]'",
    "get_conversation_with_context": f"{NOBODY}, ''",
    "get_instance_state": f"{NOBODY}, ''",
    "check_and_update_ai_usage": f"{NOBODY}, true",
    "update_personality_usage_batch": "NULL",
    "message_arrived": f"{NOBODY}, '', ''",
    "reply_ready": f"{NOBODY}, ''",
    "turn_state": NOBODY,
    "turn_sent": NOBODY,
    "end_turn": f"{NOBODY}, 'failed'",
    "whatsapp_forms": "'20100'",
    "whatsapp_customer": f"{NOBODY}, '20100'",
    "function_switches": "",
    "report_fallback": "'', ''",
}


@pytest.mark.parametrize("role", ["anon", "authenticated"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_rest_callers_execute_nothing(ours: Rows, role: str, function: str):
    """Although default privileges grant them every new function in public."""
    defaults = "SELECT count(*) FROM pg_default_acl WHERE defaclobjtype = 'f' AND defaclacl::text LIKE %s"
    assert ours.value(defaults, f"%{role}=X%") == 1
    ours.connection.execute(f"SET ROLE {role}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for function"):
        ours.connection.execute(f"SELECT public.{function}({FUNCTIONS[function]})")


def test_the_service_executes_everything(ours: Rows):
    business = ours.business()
    instance = ours.instance(business)
    personality = ours.personality(instance, business)
    ours.connection.execute("SET ROLE service_role")
    arrived = ours.value("SELECT public.message_arrived(%s, '20100', 'hello', 'a')", instance)
    conversation = arrived["conversation_id"]
    assert ours.value("SELECT public.store_message_with_update(%s, 'user', 'x')", conversation)["message_count"] == 2
    ours.connection.execute("SELECT public.store_message_and_update_conversation(%s, 'user', 'x')", [conversation])
    batch = """SELECT public.store_messages(%s, '[{"role": "user", "content": "x"}]')"""
    assert ours.value(batch, conversation)["message_count"] == 4
    reply = """SELECT public.reply_ready(%s, 'hi', 'b', '{"user_message": "hello"}', NULL, %s)"""
    assert ours.value(reply, conversation, personality)["quota"]["used"] == 1
    assert ours.value("SELECT public.get_instance_state(%s, '20100')", instance)["recent_interactions"]
    assert ours.value("SELECT public.get_conversation_with_context(%s, '20100')", instance)["recent_messages"]
    assert ours.value("SELECT public.update_personality_usage_batch(%s)", [business])["unknown"] == [str(business)]
    assert ours.value("SELECT public.check_and_update_ai_usage(NULL)")["allowed"] is True
    ours.connection.execute("RESET ROLE")
    assert ours.value("SELECT occurrences FROM waops.waops_incident") == 1


def test_every_function_pins_its_search_path(ours: Rows):
    """Triggers of the service that a public function fires find the service's tables as before."""
    query = """
        SELECT count(*) FROM pg_proc
        WHERE pronamespace = 'waops'::regnamespace AND proname = ANY (%s)
            AND 'search_path=pg_catalog, pg_temp' = ANY (proconfig)
    """
    internal = ["count_messages", "empty_message_id", "exact_count", "forget_counts"]
    internal += ["forget_message_counts", "find_turn", "close_turn", "describe_turn"]
    assert ours.value(query, internal) == len(internal)
    public = """
        SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = ANY (%s)
            AND proconfig = ARRAY['search_path=pg_catalog, public, extensions, pg_temp'] AND NOT prosecdef
    """
    of_this_app = [name for name in FUNCTIONS if name != "check_and_update_ai_usage"]
    assert ours.value(public, of_this_app) == len(of_this_app)


def test_a_temporary_table_does_not_deceive_the_functions(ours: Rows):
    conversation = ours.conversation()
    ours.connection.execute("CREATE TEMP TABLE whatsapp_conversation_messages (LIKE public.profiles)")
    ours.connection.execute(
        "CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'"
    )
    ours.connection.execute("SET search_path = pg_temp, public")
    stored = ours.value("SELECT public.store_message_with_update(%s, 'user', 'x')", conversation)
    assert stored["message_count"] == ours.stored(conversation) == 1
