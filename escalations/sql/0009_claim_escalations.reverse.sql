DROP FUNCTION waops.claim_escalations(uuid[], bigint, text, interval, boolean, integer[]);
