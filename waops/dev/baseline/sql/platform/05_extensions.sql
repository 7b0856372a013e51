-- Contrib modules where the server has them. Without pg_trgm the trigram indexes are left out; without uuid-ossp its
-- one function that the tables use is supplied here. pg_stat_statements only works where the server preloads it.
DO $$
DECLARE
    available text[] := ARRAY(SELECT name FROM pg_catalog.pg_available_extensions);
BEGIN
    IF 'uuid-ossp' = ANY (available) THEN
        CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA extensions;
    ELSE
        CREATE FUNCTION extensions.uuid_generate_v4() RETURNS uuid
            LANGUAGE sql VOLATILE PARALLEL SAFE
            AS 'SELECT pg_catalog.gen_random_uuid()';
    END IF;

    IF 'pg_trgm' = ANY (available) THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA extensions;
    END IF;

    IF 'pg_stat_statements' = ANY (available)
        AND current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%' THEN
        CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA extensions;
    END IF;
END
$$;
