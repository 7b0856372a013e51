DROP FUNCTION waops.as_object(jsonb);
