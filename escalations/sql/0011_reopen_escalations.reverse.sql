DROP FUNCTION waops.reopen_escalations(uuid[], bigint, text, integer[]);
