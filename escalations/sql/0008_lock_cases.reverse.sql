DROP FUNCTION waops.lock_cases(uuid[], text);
