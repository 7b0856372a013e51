-- Write one line of a trace, if the function is traced. The public functions call it only while anything is traced, and
-- catch its errors.
-- SECURITY DEFINER: the service may write no other line.
CREATE OR REPLACE FUNCTION waops.trace_call(
    p_function text,
    p_begun timestamp with time zone,
    p_details jsonb
) RETURNS void
    LANGUAGE sql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '10ms'
AS $$
    INSERT INTO waops.function_trace_line AS line (slot, at, function, milliseconds, details)
    SELECT
        nextval('waops.function_trace_slot'), clock_timestamp(), trace.function,
        extract(epoch FROM clock_timestamp() - p_begun) * 1000, p_details
    FROM waops.function_trace AS trace
    WHERE trace.function = p_function AND trace.until > now()
    ON CONFLICT (slot) DO UPDATE
    SET at = excluded.at, function = excluded.function, milliseconds = excluded.milliseconds, details = excluded.details;
$$;
