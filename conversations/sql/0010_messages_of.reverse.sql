DROP FUNCTION waops.messages_of(uuid);
