DROP FUNCTION waops.resolve_escalations(uuid[], bigint, text);
