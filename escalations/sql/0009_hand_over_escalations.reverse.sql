DROP FUNCTION waops.hand_over_escalations(uuid[], bigint, text, bigint, text, interval, boolean, integer[]);
