DROP FUNCTION waops.release_escalations(uuid[], bigint, text, boolean, integer[]);
