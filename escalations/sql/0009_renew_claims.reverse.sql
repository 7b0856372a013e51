DROP FUNCTION waops.renew_claims(uuid[], bigint, text, interval, integer[]);
