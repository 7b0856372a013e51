"""The most frequent statements on escalations; `waops.dbops.hot_statements` explains them."""

from django.utils.translation import gettext_noop as _

from waops.dbops.hot_statements import HotStatement

CONTEXT = ("get_conversation_with_context", "message_arrived")

STATEMENTS = (
    HotStatement(
        _("whether a customer is escalated"),
        """
        SELECT EXISTS (
            SELECT FROM public.escalated_conversations
            WHERE instance_id = %(instance_id)s::uuid AND whatsapp_number = %(user_phone)s AND resolved_at IS NULL
        )
        """,
        (*CONTEXT, "is_conversation_escalated"),
    ),
    HotStatement(
        _("escalation queue"),
        """
        SELECT id, whatsapp_number, instance_id, escalated_at FROM public.escalated_conversations
        WHERE resolved_at IS NULL ORDER BY escalated_at LIMIT 50
        """,
    ),
)
