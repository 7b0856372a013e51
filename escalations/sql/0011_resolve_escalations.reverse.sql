DROP FUNCTION waops.resolve_escalations(uuid[], bigint, text, text, text, boolean, integer[]);
