-- The form in which a customer's number is stored: see whatsapp_forms. A conversation stored under another form keeps
-- that form, which is then returned. Null: a group, broadcast, status or newsletter, which is no customer.
CREATE OR REPLACE FUNCTION public.whatsapp_customer(p_instance_id uuid, p_user_phone text) RETURNS text
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_forms CONSTANT text[] := public.whatsapp_forms(p_user_phone);
BEGIN
    IF pg_catalog.lower(pg_catalog.split_part(p_user_phone, '@', 2)) IN ('g.us', 'broadcast', 'newsletter') THEN
        RETURN NULL;
    END IF;
    IF v_forms[2] IS NULL THEN
        RETURN p_user_phone;
    END IF;
    RETURN coalesce(
        (
            SELECT conversation.user_phone
            FROM public.whatsapp_conversations AS conversation
            WHERE conversation.instance_id = p_instance_id AND conversation.user_phone = ANY (v_forms)
            ORDER BY pg_catalog.array_position(v_forms, conversation.user_phone)
            LIMIT 1
        ),
        v_forms[2]
    );
END
$$;
