-- Escalate a conversation: escalated, already_open with the open escalation, or not_found. If two do it at once, also
-- if one is the service, the unique index on open escalations decides. The reason stays null, which every deployment
-- allows: who did it, and why, is in the history.
CREATE OR REPLACE FUNCTION waops.escalate_by_hand(
    p_conversation_id uuid,
    p_actor_id bigint,
    p_actor_name text,
    p_note text DEFAULT ''
) RETURNS SETOF waops.escalation_result
    LANGUAGE plpgsql
    SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_attempts CONSTANT integer := 3;
    v_instance_id uuid;
    v_phone text;
    v_id uuid;
BEGIN
    IF p_actor_name IS NULL OR p_actor_name = '' THEN
        RAISE EXCEPTION 'escalate_by_hand needs p_actor_name' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT conversation.instance_id, conversation.user_phone
    INTO v_instance_id, v_phone
    FROM public.whatsapp_conversations AS conversation
    WHERE conversation.id = p_conversation_id;
    IF NOT FOUND THEN
        RETURN QUERY SELECT * FROM waops.escalation_results(ARRAY[NULL::uuid], ARRAY['not_found']);
        RETURN;
    END IF;

    FOR v_attempt IN 1 .. v_attempts LOOP
        INSERT INTO public.escalated_conversations AS escalation (whatsapp_number, instance_id, conversation_context)
        SELECT
            v_phone,
            v_instance_id,
            coalesce(
                jsonb_agg(
                    jsonb_build_object('role', message.role, 'content', message.content, 'timestamp', message."timestamp")
                    ORDER BY message."timestamp", message.id
                ),
                '[]'
            )
        FROM (
            SELECT latest.id, latest.role, latest.content, latest."timestamp"
            FROM public.whatsapp_conversation_messages AS latest
            WHERE latest.conversation_id = p_conversation_id
            ORDER BY latest."timestamp" DESC, latest.id DESC
            LIMIT 10
        ) AS message
        ON CONFLICT (instance_id, whatsapp_number) WHERE resolved_at IS NULL DO NOTHING
        RETURNING escalation.id INTO v_id;
        IF FOUND THEN
            INSERT INTO waops.escalations_escalationstate (escalation_id, version) VALUES (v_id, 1);
            INSERT INTO waops.escalations_event
                (escalation_id, instance_id, whatsapp_number, kind, at, actor_id, actor_name, details)
            VALUES (
                v_id, v_instance_id, v_phone, 'escalated', clock_timestamp(), p_actor_id, p_actor_name,
                jsonb_strip_nulls(jsonb_build_object('note', NULLIF(p_note, '')))
            );
            RETURN QUERY SELECT * FROM waops.escalation_results(ARRAY[v_id], ARRAY['escalated']);
            RETURN;
        END IF;

        SELECT escalation.id
        INTO v_id
        FROM public.escalated_conversations AS escalation
        WHERE escalation.instance_id = v_instance_id
          AND escalation.whatsapp_number = v_phone
          AND escalation.resolved_at IS NULL;
        IF FOUND THEN
            RETURN QUERY SELECT * FROM waops.escalation_results(ARRAY[v_id], ARRAY['already_open'], ARRAY[v_id]);
            RETURN;
        END IF;
        -- It was resolved in between.
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = '40001',
        MESSAGE = 'The customer is escalated and resolved over and over at this moment: repeat the call';
END
$$;
