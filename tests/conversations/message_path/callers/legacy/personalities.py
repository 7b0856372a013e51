"""Count how often personalities answered: two queries for each."""

from uuid import UUID

from django.db import transaction

from tests.conversations.message_path.callers.answers import PersonalityUsage
from tests.conversations.message_path.callers.legacy.queries import execute
from waops.database.calls import NULL_NOT_ALLOWED, CallRefused, as_uuid

COUNT = """
    UPDATE public.ai_personalities SET usage_count = least(coalesce(usage_count, 0)::bigint + 1, 2147483647)
    WHERE id = %s
"""
COUNT_SWITCH = """
    UPDATE public.whatsapp_ai_config
    SET total_personality_switches = least(coalesce(total_personality_switches, 0)::bigint + 1, 2147483647)
    WHERE whatsapp_instance_id = (SELECT whatsapp_instance_id FROM public.ai_personalities WHERE id = %s)
"""


def update_personality_usage_batch(personality_ids: list[UUID]) -> PersonalityUsage:
    if personality_ids is None or None in personality_ids:
        raise CallRefused("p_personality_ids must be an array without nulls", NULL_NOT_ALLOWED)
    # In order, personalities before settings, as the function locks them.
    ids = sorted(as_uuid(given) for given in personality_ids)
    with transaction.atomic():
        known = {given for given in ids if execute(COUNT, given)}
        for given in ids:
            execute(COUNT_SWITCH, given)
    return PersonalityUsage(len(known), tuple(sorted(set(ids) - known)))
