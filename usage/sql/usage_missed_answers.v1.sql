-- Counts transactions whose replies could be neither queued nor noted as missed; see waops.queue_answers.
-- Open to everyone: the trigger must reach it whatever happened to rights and owners. Using it only costs a recount.
CREATE SEQUENCE waops.usage_missed_answers;
GRANT USAGE ON SEQUENCE waops.usage_missed_answers TO PUBLIC;
