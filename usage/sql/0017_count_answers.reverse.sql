DROP FUNCTION waops.count_answers(text, boolean);
