"""The deployed functions behave as on the live database, with each defect that replacing them must fix."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from tests.databases import Databases
from waops.dev.embedded.server import EmbeddedServer

PHONE = "201012345678"


@dataclass
class Service:
    """A business with one instance and one conversation; everything done to it is undone after the test."""

    connection: psycopg.Connection
    business: UUID
    instance: UUID
    conversation: UUID

    def value(self, query: str, *parameters: object) -> Any:
        """First value of the first row."""
        row = self.connection.execute(query, parameters or None).fetchone()
        assert row is not None
        return row[0]

    def store(self, content: str = "hello", message_id: str | None = None) -> dict[str, Any]:
        query = "SELECT store_message_with_update(%s, 'user', %s, %s)"
        return self.value(query, self.conversation, content, message_id)

    def context(self) -> dict[str, Any] | None:
        return self.value("SELECT get_conversation_with_context(%s, %s)", self.instance, PHONE)

    def usage(self, user: UUID | None, *, increment: bool = False) -> dict[str, Any]:
        return self.value("SELECT check_and_update_ai_usage(%s, %s)", user, increment)

    def escalate(self) -> UUID:
        return self.value("SELECT escalate_conversation(%s, %s, 'user_request')", PHONE, self.instance)

    def resolve(self) -> bool:
        return self.value("SELECT resolve_escalation(%s, %s, %s)", PHONE, self.instance, self.business)


@pytest.fixture(scope="module", params=["before", "after"])
def database(server: EmbeddedServer, databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    with databases.clone(request.param) as name:
        yield server.dsn(dbname=name)


@pytest.fixture
def service(database: str) -> Iterator[Service]:
    with psycopg.connect(database) as connection:
        business, instance, conversation = uuid4(), uuid4(), uuid4()
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", [business])
        connection.execute("INSERT INTO profiles (id, business_name) VALUES (%s, 'Shop')", [business])
        connection.execute(
            "INSERT INTO whatsapp_instances (id, user_id, instance_name) VALUES (%s, %s, 'shop')", [instance, business]
        )
        connection.execute(
            "INSERT INTO whatsapp_conversations (id, instance_id, user_phone, conversation_data)"
            """ VALUES (%s, %s, %s, '{"language": "ar"}')""",
            [conversation, instance, PHONE],
        )
        yield Service(connection, business, instance, conversation)
        connection.rollback()


class TestStoreMessageWithUpdate:
    def test_it_stores_the_message_and_answers(self, service: Service) -> None:
        answer = service.store("ten chars.", "wamid.1")

        stored = service.connection.execute(
            "SELECT id::text, role, content, message_id, metadata->>'estimated_tokens'"
            " FROM whatsapp_conversation_messages"
        ).fetchall()
        assert stored == [(answer["message_id"], "user", "ten chars.", "wamid.1", "3")]
        assert answer["success"] is True
        assert answer["conversation_id"] == str(service.conversation)

    def test_defect_the_count_misses_the_row_just_stored(self, service: Service) -> None:
        assert [service.store()["message_count"], service.store()["message_count"]] == [0, 1]

    def test_defect_the_rest_of_conversation_data_is_overwritten(self, service: Service) -> None:
        service.store()

        assert set(service.value("SELECT conversation_data FROM whatsapp_conversations")) == {"context"}

    def test_defect_a_webhook_delivered_twice_is_stored_twice(self, service: Service) -> None:
        first, second = service.store(message_id="wamid.1"), service.store(message_id="wamid.1")

        assert first["message_id"] != second["message_id"]
        assert service.value("SELECT count(*) FROM whatsapp_conversation_messages") == 2

    def test_defect_every_message_counts_the_conversation(self, service: Service) -> None:
        source = service.value("SELECT prosrc FROM pg_proc WHERE proname = 'store_message_with_update'")

        assert "COUNT(*)" in source

    def test_an_unknown_conversation_is_an_error(self, service: Service) -> None:
        service.conversation = uuid4()

        with pytest.raises(errors.ForeignKeyViolation):
            service.store()


class TestStoreMessageAndUpdateConversation:
    @pytest.mark.parametrize("database", ["after"], indirect=True)
    def test_it_stores_answers_nothing_and_has_the_same_defects(self, service: Service) -> None:
        for _ in range(2):
            answer = service.value(
                "SELECT store_message_and_update_conversation(%s, 'user', 'hello', 'wamid.1')", service.conversation
            )
            assert answer == ""

        data = service.value("SELECT conversation_data FROM whatsapp_conversations")
        assert set(data) == {"context"}
        assert data["context"]["message_count"] == 1
        assert service.value("SELECT count(*) FROM whatsapp_conversation_messages") == 2


class TestGetConversationWithContext:
    def test_it_answers_the_latest_first(self, service: Service) -> None:
        for minute in range(12):
            service.connection.execute(
                "INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, timestamp)"
                " VALUES (%s, 'user', %s, now() + %s * interval '1 minute')",
                [service.conversation, str(minute), minute],
            )
        service.escalate()

        answer = service.context()

        assert answer is not None
        assert [message["content"] for message in answer["recent_messages"]] == [str(n) for n in range(11, 1, -1)]
        assert set(answer["recent_messages"][0]) == {"role", "content", "timestamp"}
        assert answer["is_escalated"] is True
        assert answer["conversation"]["id"] == str(service.conversation)
        assert answer["instance_config"]["instance_name"] == "shop"

    def test_defect_empty_lists_are_null(self, service: Service) -> None:
        answer = service.context()

        assert answer is not None
        assert answer["recent_messages"] is None
        assert answer["recent_interactions"] is None

    def test_defect_no_active_conversation_hides_the_escalation(self, service: Service) -> None:
        service.escalate()
        service.connection.execute("UPDATE whatsapp_conversations SET status = 'inactive'")

        assert service.context() is None


class TestCheckAndUpdateAiUsage:
    def test_it_counts_up_to_the_limit(self, service: Service) -> None:
        service.connection.execute("UPDATE profiles SET monthly_ai_response_limit = 2")

        answers = [service.usage(service.business, increment=True) for _ in range(3)]

        assert [(answer["allowed"], answer["used"]) for answer in answers] == [(True, 1), (True, 2), (False, 2)]

    def test_a_null_user_is_allowed_with_an_error(self, service: Service) -> None:
        answer = service.usage(None)

        assert answer.pop("errorMessage")
        assert answer == {"allowed": True, "limit": 0, "used": 0, "resetsOn": None}

    def test_defect_an_unknown_profile_is_neither_allowed_nor_refused(self, service: Service) -> None:
        assert service.usage(uuid4())["allowed"] is None

    def test_defect_resets_on_has_no_time_zone(self, service: Service) -> None:
        assert re.fullmatch(r"\d{4}-\d{2}-01T00:00:00", service.usage(service.business)["resetsOn"])

    def test_defect_an_overdue_reset_is_answered_with_a_date_in_the_past(self, service: Service) -> None:
        service.connection.execute("UPDATE profiles SET last_responses_reset_date = '2024-03-15'")

        assert service.usage(service.business)["resetsOn"] == "2024-04-01T00:00:00"


class TestEscalations:
    def test_it_opens_and_closes(self, service: Service) -> None:
        assert service.escalate() == service.value("SELECT id FROM escalated_conversations")
        assert service.value("SELECT is_conversation_escalated(%s, %s)", PHONE, service.instance) is True
        assert service.resolve() is True
        assert service.value("SELECT resolved_by FROM escalated_conversations") == service.business
        assert service.value("SELECT is_conversation_escalated(%s, %s)", PHONE, service.instance) is False
        assert service.resolve() is False

    def test_defect_two_open_rows_of_one_customer_cannot_be_closed(self, service: Service) -> None:
        assert service.escalate() != service.escalate()

        with pytest.raises(errors.UniqueViolation, match="unique_active_escalation"):
            service.resolve()


class TestUpdatePersonalityUsage:
    def test_it_counts_at_the_personality_and_its_instance(self, service: Service) -> None:
        personality = service.value(
            "INSERT INTO ai_personalities (whatsapp_instance_id, user_id, name, system_prompt)"
            " VALUES (%s, %s, 'Sales', '…') RETURNING id",
            service.instance,
            service.business,
        )
        service.connection.execute(
            "INSERT INTO whatsapp_ai_config (whatsapp_instance_id, user_id, system_prompt) VALUES (%s, %s, '…')",
            [service.instance, service.business],
        )

        service.value("SELECT update_personality_usage(%s)", personality)

        assert service.value("SELECT usage_count FROM ai_personalities") == 1
        assert service.value("SELECT total_personality_switches FROM whatsapp_ai_config") == 1


class TestManageSubscriptionsAndLimits:
    @pytest.mark.parametrize(
        ("subscription_ends", "last_reset", "expected"),
        [
            pytest.param("-1 day", "-1 day", (False, 0, 0), id="expired"),
            pytest.param("1 day", "-30 days", (True, 100, 0), id="due"),
            pytest.param("1 day", "-29 days", (True, 100, 7), id="not due"),
        ],
    )
    def test_it_disables_the_expired_and_resets_after_30_days(
        self, service: Service, subscription_ends: str, last_reset: str, expected: tuple[bool, int, int]
    ) -> None:
        service.connection.execute(
            "UPDATE profiles SET monthly_ai_responses_used = 7, subscription_end_date = now() + %s::interval,"
            " last_responses_reset_date = now() + %s::interval",
            [subscription_ends, last_reset],
        )

        counts = service.connection.execute("SELECT * FROM manage_subscriptions_and_limits()").fetchone()

        assert counts is not None
        assert counts[0] == counts[1] + counts[2] == (expected[2] != 7)
        profile = "SELECT is_active, monthly_ai_response_limit, monthly_ai_responses_used FROM profiles"
        assert service.connection.execute(profile).fetchone() == expected


def test_a_business_sees_its_own_rows_only(service: Service) -> None:
    claims = f'{{"sub": "{service.business}"}}'
    service.connection.execute("SET LOCAL ROLE authenticated")
    assert service.value("SELECT count(*) FROM whatsapp_conversations") == 0

    service.connection.execute("SELECT set_config('request.jwt.claims', %s, true)", [claims])
    assert service.value("SELECT count(*) FROM whatsapp_conversations") == 1
