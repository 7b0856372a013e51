-- waops.count_triggers without its cost: declared IMMUTABLE so that a statement's plan keeps the answer. The plan depends
-- on the table, which is a constant in it, and every change of the table's triggers discards the plan. Call it only in a
-- kept plan, under a lock on the table that writers take, and at READ COMMITTED: otherwise the plan could keep what an
-- older snapshot shows.
CREATE OR REPLACE FUNCTION waops.count_basis(p_table regclass) RETURNS bigint
    LANGUAGE plpgsql
    IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN waops.count_triggers(p_table);
END
$$;
