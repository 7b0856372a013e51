-- Each message that one of our functions stores draws a number: see waops/dbops/adoption.py.
CREATE SEQUENCE waops.stored_by_function;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT USAGE ON SEQUENCE waops.stored_by_function TO service_role;
    END IF;
END
$$;
