DROP FUNCTION waops.touch_conversation(uuid, text);
