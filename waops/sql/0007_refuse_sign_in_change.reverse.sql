DROP FUNCTION waops.refuse_sign_in_change();
