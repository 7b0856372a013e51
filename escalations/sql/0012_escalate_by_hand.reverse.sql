DROP FUNCTION waops.escalate_by_hand(uuid, bigint, text, text);
