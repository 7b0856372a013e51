-- The service's role may use the app's schema, because our functions run with its rights. It gets a single table here,
-- and each later migration grants what its own functions read. PostgREST has its own list of exposed schemas.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT USAGE ON SCHEMA waops TO service_role;
        GRANT SELECT, INSERT, UPDATE ON waops.waops_incident TO service_role;
    END IF;
END
$$;
