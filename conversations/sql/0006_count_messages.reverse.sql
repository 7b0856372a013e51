DROP FUNCTION waops.count_messages();
