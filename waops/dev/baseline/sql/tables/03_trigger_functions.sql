CREATE FUNCTION public.update_updated_at_column() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END
$$;

CREATE FUNCTION public.update_conversation_last_activity() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE public.whatsapp_conversations SET last_activity = now() WHERE id = NEW.conversation_id;
    RETURN NEW;
END
$$;
