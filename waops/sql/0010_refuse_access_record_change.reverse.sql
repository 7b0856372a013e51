DROP FUNCTION waops.refuse_access_record_change();
