-- Trigger of public.whatsapp_ai_interactions, once per statement: each change waits in waops.usage_pendinganswer to be
-- counted, and commits with the answer itself. Appends only, so that writers never wait for each other or for whoever
-- counts. A failure of ours is no failure of the answer: the counts are then declared stale and must be rebuilt.
-- SECURITY DEFINER: whoever may write answers may not write here.
CREATE OR REPLACE FUNCTION waops.queue_answers() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    BEGIN
        IF TG_OP IN ('UPDATE', 'DELETE') THEN
            INSERT INTO waops.usage_pendinganswer (
                sign, answered_at, instance_id, model, personality, intent,
                prompt_tokens, completion_tokens, total_tokens
            )
            SELECT
                -1, answer.created_at, answer.whatsapp_instance_id, coalesce(answer.response_model, ''),
                coalesce(answer.metadata ->> 'personality_id', ''), coalesce(answer.metadata ->> 'detected_intent', ''),
                answer.prompt_tokens, answer.completion_tokens, answer.total_tokens
            FROM removed AS answer;
        END IF;
        IF TG_OP IN ('INSERT', 'UPDATE') THEN
            INSERT INTO waops.usage_pendinganswer (
                sign, answered_at, instance_id, model, personality, intent,
                prompt_tokens, completion_tokens, total_tokens
            )
            SELECT
                1, answer.created_at, answer.whatsapp_instance_id, coalesce(answer.response_model, ''),
                coalesce(answer.metadata ->> 'personality_id', ''), coalesce(answer.metadata ->> 'detected_intent', ''),
                answer.prompt_tokens, answer.completion_tokens, answer.total_tokens
            FROM added AS answer;
        END IF;
        IF TG_OP = 'TRUNCATE' THEN
            DELETE FROM waops.usage_pendinganswer;
            UPDATE waops.usage_rollupstate SET built_at = NULL;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'queue_answers: answers not queued: % (%)', SQLERRM, SQLSTATE;
        UPDATE waops.usage_rollupstate SET built_at = NULL WHERE built_at IS NOT NULL;
    END;
    RETURN NULL;
END
$$;
