-- Roles belong to the whole server, which may hold other databases: they are created where they are missing.
-- Two loads at once may both find one missing; the second then meets the first's row.
DO $$
DECLARE
    role_name text;
    attributes text;
BEGIN
    FOR role_name, attributes IN
        VALUES ('anon', 'NOLOGIN NOINHERIT'),
               ('authenticated', 'NOLOGIN NOINHERIT'),
               ('service_role', 'NOLOGIN NOINHERIT BYPASSRLS'),
               ('supabase_auth_admin', 'NOLOGIN NOINHERIT CREATEROLE')
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s', role_name, attributes);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;
