DROP FUNCTION waops.case_results(uuid[], text[], uuid[], integer[]);
