-- When a snooze ended: its time came, or the customer wrote something that had not been seen when it began, whichever
-- was first. Null: not yet. A message whose transaction began before the snooze has an earlier time, but was not seen.
CREATE OR REPLACE FUNCTION waops.woke_at(
    p_instance_id uuid,
    p_whatsapp_number text,
    p_snoozed_at timestamp with time zone,
    p_snoozed_until timestamp with time zone,
    p_seen_after timestamp with time zone,
    p_seen uuid[]
) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT least(
        CASE WHEN p_snoozed_until <= statement_timestamp() THEN p_snoozed_until END,
        (
            SELECT greatest(message."timestamp", p_snoozed_at)
            FROM public.whatsapp_conversations AS conversation
            JOIN public.whatsapp_conversation_messages AS message ON message.conversation_id = conversation.id
            WHERE conversation.instance_id = p_instance_id
              AND conversation.user_phone = p_whatsapp_number
              AND message.role = 'user'
              AND message."timestamp" > coalesce(p_seen_after, p_snoozed_at)
              AND message.id <> ALL (p_seen)
            ORDER BY message."timestamp"
            LIMIT 1
        )
    )
    WHERE p_snoozed_at IS NOT NULL
$$;
