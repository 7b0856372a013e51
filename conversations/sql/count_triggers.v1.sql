-- What message counts depend on: the four triggers as they are in the catalog, and the table of the counts.
-- A trigger that was disabled, dropped or restored in between has another entry, even if it looks the same again. NULL:
-- a trigger is missing or does not always fire, or the table has partitions or children, whose own writers fire none.
-- VOLATILE: reads the current catalog, also when a function that is not volatile calls it.
CREATE OR REPLACE FUNCTION waops.count_triggers(p_table regclass) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT hashtextextended(
            string_agg(concat(trigger.oid, ' ', trigger.xmin, ' ', trigger.ctid), ' ' ORDER BY trigger.oid),
            'waops.message_count'::regclass::oid::bigint
        )
        FROM pg_trigger AS trigger
        WHERE trigger.tgrelid = p_table
          AND trigger.tgfoid = to_regprocedure('waops.count_messages()')
          AND trigger.tgenabled = 'A'
        HAVING count(*) = 4 AND NOT EXISTS (SELECT FROM pg_inherits AS child WHERE child.inhparent = p_table)
    );
END
$$;
