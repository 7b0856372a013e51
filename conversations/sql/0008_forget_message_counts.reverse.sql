DROP FUNCTION waops.forget_message_counts();
