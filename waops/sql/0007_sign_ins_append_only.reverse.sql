DROP TRIGGER sign_ins_append_only ON waops.waops_signinevent;
