DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        REVOKE ALL ON waops.waops_incident FROM service_role;
        REVOKE ALL ON SCHEMA waops FROM service_role;
    END IF;
END
$$;
