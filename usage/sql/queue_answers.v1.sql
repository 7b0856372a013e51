-- Trigger on public.whatsapp_ai_interactions, once per statement: queues each change in waops.usage_pendinganswer to be
-- counted, and commits with the reply itself. Appends only, so that writers never wait for each other or for a count.
-- SECURITY DEFINER: the roles that write replies may not write here.
-- It never fails the statement that fired it, and waits 40 ms at most. Changes that it could not queue make the counts
-- stale: a row in waops.usage_missed says so, in the same transaction. If that fails too, a sequence does, which is
-- found without the name of its schema; until the transaction ends, its shared lock keeps waops.refresh_usage from
-- treating that mark as counted. One note per transaction is enough, because all replies are counted again.
CREATE OR REPLACE FUNCTION waops.queue_answers() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '40ms'
AS $$
DECLARE
    v_problem text;
BEGIN
    BEGIN
        IF current_setting('waops.answers_missed', true) = 'on' THEN
            RETURN NULL;
        END IF;
        IF TG_OP IN ('UPDATE', 'DELETE') THEN
            INSERT INTO waops.usage_pendinganswer (
                sign, answered_at, instance_id, model, personality, intent,
                prompt_tokens, completion_tokens, total_tokens
            )
            SELECT
                -1, coalesce(answer.created_at, '-infinity'), answer.whatsapp_instance_id,
                coalesce(answer.response_model, ''),
                coalesce(answer.metadata ->> 'personality_id', ''), coalesce(answer.metadata ->> 'detected_intent', ''),
                answer.prompt_tokens, answer.completion_tokens, answer.total_tokens
            FROM removed AS answer
            WHERE answer.whatsapp_instance_id IS NOT NULL;
            IF NOT FOUND AND EXISTS (
                SELECT FROM removed AS answer WHERE answer.whatsapp_instance_id IS NOT NULL
            ) THEN
                RAISE EXCEPTION 'a trigger discarded them';
            END IF;
        END IF;
        IF TG_OP IN ('INSERT', 'UPDATE') THEN
            INSERT INTO waops.usage_pendinganswer (
                sign, answered_at, instance_id, model, personality, intent,
                prompt_tokens, completion_tokens, total_tokens
            )
            SELECT
                1, coalesce(answer.created_at, '-infinity'), answer.whatsapp_instance_id,
                coalesce(answer.response_model, ''),
                coalesce(answer.metadata ->> 'personality_id', ''), coalesce(answer.metadata ->> 'detected_intent', ''),
                answer.prompt_tokens, answer.completion_tokens, answer.total_tokens
            FROM added AS answer
            WHERE answer.whatsapp_instance_id IS NOT NULL;
            IF NOT FOUND AND EXISTS (
                SELECT FROM added AS answer WHERE answer.whatsapp_instance_id IS NOT NULL
            ) THEN
                RAISE EXCEPTION 'a trigger discarded them';
            END IF;
        END IF;
        IF TG_OP <> 'TRUNCATE' THEN
            RETURN NULL;
        END IF;
        v_problem := 'TRUNCATE';
    EXCEPTION WHEN OTHERS THEN
        v_problem := format('%s (%s)', left(SQLERRM, 500), SQLSTATE);
        RAISE WARNING 'queue_answers: answers not queued, they must be counted again: %', v_problem;
    END;

    BEGIN
        IF v_problem <> 'TRUNCATE' THEN
            PERFORM set_config('lock_timeout', '1ms', true);
        END IF;
        INSERT INTO waops.usage_missed (at, what, problem) VALUES (clock_timestamp(), 'answers', v_problem);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a trigger discarded the note';
        END IF;
        PERFORM set_config('waops.answers_missed', 'on', true);
    EXCEPTION WHEN OTHERS THEN
        BEGIN
            PERFORM set_config('lock_timeout', '1ms', true);
            PERFORM pg_try_advisory_xact_lock_shared(hashtextextended('waops.usage.missed', 0));
            PERFORM nextval(sequence.oid::regclass)
            FROM pg_class AS sequence
            WHERE sequence.relname = 'usage_missed_answers' AND sequence.relkind = 'S';
            PERFORM set_config('waops.answers_missed', 'on', true);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'queue_answers: not noted either: % (%)', SQLERRM, SQLSTATE;
        END;
    END;
    RETURN NULL;
END
$$;
