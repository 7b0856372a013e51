DROP FUNCTION waops.refuse_history_change();
