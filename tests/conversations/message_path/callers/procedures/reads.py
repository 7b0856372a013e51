"""Read what the AI must know."""

from uuid import UUID

from tests.conversations.message_path.callers import legacy
from tests.conversations.message_path.callers.answers import InstanceState
from waops.database.calls import as_uuid, call, procedure


@procedure(old=legacy.get_instance_state)
def get_instance_state(instance_id: UUID, user_phone: str) -> InstanceState:
    """Whether the customer is escalated, the number's settings, and the last five AI replies. Raises CallRefused."""
    return InstanceState.from_json(
        call("public.get_instance_state(%s::uuid, %s::text)", as_uuid(instance_id), user_phone)
    )
