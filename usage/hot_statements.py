"""The most frequent statements on quotas; `waops.dbops.hot_statements` explains them."""

from django.utils.translation import gettext_noop as _

from waops.dbops.hot_statements import HotStatement

STATEMENTS = (
    HotStatement(
        _("quota of a business"),
        """
        SELECT monthly_ai_response_limit, monthly_ai_responses_used, last_responses_reset_date
        FROM public.profiles WHERE id = %(user_id)s::uuid
        """,
        ("check_and_update_ai_usage", "message_arrived", "reply_ready"),
    ),
    HotStatement(
        _("businesses over their limit"),
        """
        SELECT id FROM public.profiles
        WHERE monthly_ai_responses_used >= monthly_ai_response_limit ORDER BY monthly_ai_responses_used DESC LIMIT 50
        """,
    ),
    HotStatement(
        _("count an AI reply"),
        """
        UPDATE public.profiles SET monthly_ai_responses_used = monthly_ai_responses_used + 1
        WHERE id = %(user_id)s::uuid AND monthly_ai_responses_used < monthly_ai_response_limit
        """,
        ("check_and_update_ai_usage", "reply_ready"),
        writes=True,
    ),
)
