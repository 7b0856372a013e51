DROP FUNCTION waops.next_reset(timestamp with time zone, timestamp with time zone);
