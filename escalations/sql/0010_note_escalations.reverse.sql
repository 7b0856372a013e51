DROP FUNCTION waops.note_escalations(uuid[], bigint, text, text, integer[]);
