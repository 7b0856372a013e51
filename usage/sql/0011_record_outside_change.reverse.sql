DROP FUNCTION waops.record_outside_change();
