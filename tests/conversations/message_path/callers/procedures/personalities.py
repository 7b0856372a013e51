"""Count how often personalities answered."""

from uuid import UUID

from tests.conversations.message_path.callers import legacy
from tests.conversations.message_path.callers.answers import PersonalityUsage
from waops.database.calls import as_uuid, call, procedure


@procedure(old=legacy.update_personality_usage_batch)
def update_personality_usage_batch(personality_ids: list[UUID]) -> PersonalityUsage:
    """Count each personality as often as it is given, and its number's switches. Raises CallRefused for a None."""
    return PersonalityUsage.from_json(
        call(
            "public.update_personality_usage_batch(%s::uuid[])",
            None if personality_ids is None else [as_uuid(given) for given in personality_ids],
        )
    )
