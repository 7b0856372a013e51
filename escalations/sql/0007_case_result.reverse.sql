DROP TYPE waops.case_result;
