-- Trigger on waops.function_trace: keeps waops.traced_until current.
-- SECURITY DEFINER: a role that may start traces may not set the sequence.
CREATE OR REPLACE FUNCTION waops.note_traces() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM setval(
        'waops.traced_until',
        (SELECT greatest(1, coalesce(ceil(max(extract(epoch FROM trace.until))), 1))::bigint FROM waops.function_trace AS trace)
    );
    RETURN NULL;
END
$$;
