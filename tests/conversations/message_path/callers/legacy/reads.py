"""Read what the AI must know: one query for each thing."""

from uuid import UUID

from conversations.legacy import refuse_long_phone, refuse_null, state_of, whatsapp_customer
from tests.conversations.message_path.callers.answers import InstanceState
from waops.database.calls import as_uuid


def get_instance_state(instance_id: UUID, user_phone: str) -> InstanceState:
    instance_id = as_uuid(instance_id)
    refuse_null(p_instance_id=instance_id, p_user_phone=user_phone)
    refuse_long_phone(user_phone)
    phone = whatsapp_customer(instance_id, user_phone) or user_phone
    return InstanceState(**state_of(instance_id, user_phone, phone))
