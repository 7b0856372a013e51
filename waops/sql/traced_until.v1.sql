-- When the last trace ends, in seconds since 1970; functions read it to find out whether anything is traced. Kept by a
-- trigger on waops.function_trace. A sequence, because reading it takes a microsecond and no lock on a table delays it.
CREATE SEQUENCE waops.traced_until;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT USAGE ON SEQUENCE waops.traced_until TO service_role;
    END IF;
END
$$;

CREATE TRIGGER waops_note_traces
    AFTER INSERT OR UPDATE OR DELETE ON waops.function_trace
    FOR EACH STATEMENT EXECUTE FUNCTION waops.note_traces();
