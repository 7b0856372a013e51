CREATE OR REPLACE FUNCTION waops.refuse_access_record_change() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The retention command says so in its own transaction; what is recent stays even then.
    IF TG_OP = 'DELETE' THEN
        IF current_setting('waops.retention', true) = 'on' AND OLD.at < statement_timestamp() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'The record of access (%.%) is append-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'manage.py retention removes what is old enough.';
END
$$;
