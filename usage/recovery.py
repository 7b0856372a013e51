"""What `migrate` tries, and what is left to do after a repair of the schema."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from waops.schema.preflight import Trial

TRIALS = (
    Trial(
        "public.profiles",
        """
        UPDATE public.profiles SET monthly_ai_responses_used = monthly_ai_responses_used
        WHERE id = (SELECT id FROM public.profiles LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
        """,
    ),
)


def count_again(connection: BaseDatabaseWrapper, damaged: frozenset[str]) -> str:
    """Ask for a recount of AI replies if damage may have kept a table or trigger from counting some."""
    if any("usage" in name or "answers" in name or name == "public.whatsapp_ai_interactions" for name in damaged):
        return _("The figures may lack some AI replies. Count them again: manage.py repair usage --apply")
    return ""
