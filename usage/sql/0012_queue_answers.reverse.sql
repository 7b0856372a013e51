DROP FUNCTION waops.queue_answers();
