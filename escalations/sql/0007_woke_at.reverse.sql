DROP FUNCTION waops.woke_at(uuid, text, timestamp with time zone, timestamp with time zone);
