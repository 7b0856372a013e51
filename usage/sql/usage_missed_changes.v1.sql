-- Counts changes of quotas that could be neither recorded nor noted as missed; see waops.record_outside_change.
-- Open to everyone: the trigger must reach it whatever happened to rights and owners.
CREATE SEQUENCE waops.usage_missed_changes;
GRANT USAGE ON SEQUENCE waops.usage_missed_changes TO PUBLIC;
