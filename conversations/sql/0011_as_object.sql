-- A JSON value that keys can be added to, with nothing lost: an object is itself, null is empty, and what is no object
-- goes under the key `value`. Without SET, alone among our functions, so that it is planned as part of its caller;
-- every name and operator is qualified instead.
CREATE OR REPLACE FUNCTION waops.as_object(p_value jsonb) RETURNS jsonb
    LANGUAGE sql
    STABLE
AS $$
    SELECT CASE
        WHEN pg_catalog.jsonb_typeof(p_value) OPERATOR(pg_catalog.=) 'object' THEN p_value
        WHEN p_value IS NULL OR p_value OPERATOR(pg_catalog.=) 'null' THEN '{}'
        ELSE pg_catalog.jsonb_build_object('value', p_value)
    END
$$;
