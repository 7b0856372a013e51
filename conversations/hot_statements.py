"""The most frequent statements on conversations and AI replies; `waops.dbops.hot_statements` explains them."""

from django.utils.translation import gettext_noop as _

from waops.dbops.hot_statements import HotStatement, Sample

SAMPLE = Sample(
    ("conversation_id", "instance_id", "user_phone", "user_id"),
    """
    SELECT conversation.id::text, conversation.instance_id::text, conversation.user_phone, instance.user_id::text
    FROM (
        SELECT conversation_id FROM public.whatsapp_conversation_messages ORDER BY "timestamp" DESC LIMIT 1000
    ) AS newest
    JOIN public.whatsapp_conversations AS conversation ON conversation.id = newest.conversation_id
    JOIN public.whatsapp_instances AS instance ON instance.id = conversation.instance_id
    GROUP BY 1, 2, 3, 4 ORDER BY pg_catalog.count(*) DESC, 1 LIMIT 1
""",
    "SELECT EXISTS (SELECT FROM public.whatsapp_conversations WHERE id = %(conversation_id)s::uuid)",
)
"""The busiest customer among the latest messages."""

CONTEXT = ("get_conversation_with_context", "message_arrived")

STATEMENTS = (
    HotStatement(
        _("a customer's conversation"),
        """
        SELECT id, status, conversation_data FROM public.whatsapp_conversations
        WHERE instance_id = %(instance_id)s::uuid AND user_phone = %(user_phone)s AND status = 'active'
        """,
        CONTEXT,
    ),
    HotStatement(
        _("newest messages"),
        """
        SELECT role, content, "timestamp" FROM public.whatsapp_conversation_messages
        WHERE conversation_id = %(conversation_id)s::uuid ORDER BY "timestamp" DESC LIMIT 10
        """,
        CONTEXT,
    ),
    HotStatement(
        _("newest AI replies"),
        """
        SELECT metadata, created_at, user_message FROM public.whatsapp_ai_interactions
        WHERE whatsapp_instance_id = %(instance_id)s::uuid AND user_phone = %(user_phone)s
        ORDER BY created_at DESC LIMIT 5
        """,
        CONTEXT,
    ),
    HotStatement(
        _("settings of a WhatsApp number"),
        """
        SELECT instance.escalation_enabled, config.system_prompt, config.temperature
        FROM public.whatsapp_instances AS instance
        LEFT JOIN public.whatsapp_ai_config AS config
            ON config.whatsapp_instance_id = instance.id AND config.is_active = true
        WHERE instance.id = %(instance_id)s::uuid
        """,
        (*CONTEXT, "get_instance_state"),
    ),
    HotStatement(
        _("duplicate message check"),
        """
        SELECT id FROM public.whatsapp_conversation_messages
        WHERE conversation_id = %(conversation_id)s::uuid AND message_id = 'waops explain'
        """,
        ("store_message_with_update", "message_arrived"),
    ),
    HotStatement(
        _("message count, as in the plan"),
        "SELECT count(*) FROM public.whatsapp_conversation_messages WHERE conversation_id = %(conversation_id)s::uuid",
    ),
    HotStatement(
        _("conversations to clean up"),
        """
        SELECT id FROM public.whatsapp_conversations
        WHERE status <> 'active' AND last_activity < now() - interval '30 days' ORDER BY last_activity LIMIT 100
        """,
    ),
    HotStatement(
        _("search in messages"),
        """
        SELECT id FROM public.whatsapp_conversation_messages
        WHERE to_tsvector('simple', content) @@ plainto_tsquery('simple', 'waopsnoword') LIMIT 20
        """,
    ),
    HotStatement(
        _("AI replies by intent"),
        """
        SELECT id FROM public.whatsapp_ai_interactions
        WHERE metadata @> '{"detected_intent": "waops explain"}' LIMIT 20
        """,
    ),
    HotStatement(
        _("store a message"),
        """
        INSERT INTO public.whatsapp_conversation_messages (conversation_id, role, content, message_id, metadata)
        VALUES (%(conversation_id)s::uuid, 'user', 'waops explain', NULL, '{}')
        """,
        ("store_message_with_update", "message_arrived", "reply_ready"),
        writes=True,
    ),
    HotStatement(
        _("update a conversation's time"),
        """
        UPDATE public.whatsapp_conversations SET last_activity = now() WHERE id = %(conversation_id)s::uuid
        """,
        ("store_message_with_update", "message_arrived", "reply_ready"),
        writes=True,
    ),
)
