DROP FUNCTION waops.refresh_usage(text, integer, boolean);
