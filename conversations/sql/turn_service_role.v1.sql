-- The functions of turns run with the service's rights. Rights on the table cost less per call than functions with
-- their owner's rights, one for each statement.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT SELECT, INSERT, UPDATE ON TABLE waops.conversations_turn TO service_role;
    END IF;
END
$$;
