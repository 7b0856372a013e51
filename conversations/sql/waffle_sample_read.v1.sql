-- The functions below run with the service's rights and read the flags.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT SELECT ON waops.waffle_sample TO service_role;
    END IF;
END
$$;
