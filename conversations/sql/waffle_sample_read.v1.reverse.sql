DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        REVOKE ALL ON waops.waffle_sample FROM service_role;
    END IF;
END
$$;
