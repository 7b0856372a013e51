DROP TRIGGER access_record_append_only ON waops.waops_accessrecord;

DROP TRIGGER access_record_kept ON waops.waops_accessrecord;
