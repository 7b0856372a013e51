-- Keeps a table append-only. The trigger's argument, if there is one, is the hint. As a trigger for each deleted row it
-- allows retention, which announces itself in its own transaction, to remove rows older than 30 days.
CREATE OR REPLACE FUNCTION waops.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' THEN
        IF current_setting('waops.retention', true) = 'on' AND OLD.at < statement_timestamp() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '%.% is append-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', HINT = coalesce(TG_ARGV[0], '');
END
$$;
