-- Counts changes of quotas that could neither be recorded nor be noted as missed; see waops.record_outside_change.
-- Open to everybody: the trigger must reach it whatever became of rights and owners.
CREATE SEQUENCE waops.usage_missed_changes;
GRANT USAGE ON SEQUENCE waops.usage_missed_changes TO PUBLIC;
