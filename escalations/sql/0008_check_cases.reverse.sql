DROP FUNCTION waops.check_cases(uuid[], integer[], bigint, boolean, boolean);
