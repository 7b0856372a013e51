-- Counts transactions whose answers could neither be queued nor be noted as missed; see waops.queue_answers.
-- Open to everybody: the trigger must reach it whatever became of rights and owners. Using it costs a recount, no more.
CREATE SEQUENCE waops.usage_missed_answers;
GRANT USAGE ON SEQUENCE waops.usage_missed_answers TO PUBLIC;
