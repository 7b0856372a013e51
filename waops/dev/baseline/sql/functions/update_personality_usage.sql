CREATE FUNCTION public.update_personality_usage(p_personality_id uuid) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE ai_personalities
    SET usage_count = coalesce(usage_count, 0) + 1
    WHERE id = p_personality_id;

    UPDATE whatsapp_ai_config
    SET total_personality_switches = coalesce(total_personality_switches, 0) + 1
    WHERE whatsapp_instance_id = (SELECT whatsapp_instance_id FROM ai_personalities WHERE id = p_personality_id);
END
$$;
