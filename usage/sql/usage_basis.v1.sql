-- What the counts of AI replies depend on: the four triggers that queue changes, as they are in the catalog, and the
-- marks of changes that could not be queued.
-- Counts are exact only while this equals its value when they were built: a trigger that was dropped, disabled or
-- restored in between has another entry. NULL: a trigger is missing or does not always fire, or the table has
-- partitions or children, whose own writers fire no trigger.
CREATE OR REPLACE FUNCTION waops.usage_basis() RETURNS text
    LANGUAGE sql
    STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT
        string_agg(concat(trigger.oid, ':', trigger.xmin), ' ' ORDER BY trigger.oid) || (
            SELECT concat(' marks ', sequence.oid, ':', pg_sequence_last_value(sequence.oid))
            FROM pg_class AS sequence
            WHERE sequence.oid = to_regclass('waops.usage_missed_answers')
        )
    FROM pg_trigger AS trigger
    WHERE trigger.tgrelid = to_regclass('public.whatsapp_ai_interactions')
      AND trigger.tgfoid = to_regprocedure('waops.queue_answers()')
      AND trigger.tgenabled = 'A'
    HAVING count(*) = 4 AND NOT EXISTS (
        SELECT FROM pg_inherits AS child WHERE child.inhparent = to_regclass('public.whatsapp_ai_interactions')
    )
$$;
