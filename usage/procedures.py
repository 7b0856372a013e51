"""Call the quota's database functions, one round trip each."""

from uuid import UUID

from usage import legacy
from usage.answers import AIUsage
from waops.database.calls import as_uuid, call, procedure


@procedure(old=legacy.check_and_update_ai_usage)
def check_and_update_ai_usage(user_id: UUID | None, increment: bool = False) -> AIUsage:
    """Whether the business's AI may reply; `increment` also counts one reply if it may.

    An unknown business is never refused: the reply is allowed, and an Incident is counted.
    """
    return AIUsage.from_json(
        call("public.check_and_update_ai_usage(%s::uuid, %s::boolean)", user_id and as_uuid(user_id), increment)
    )
