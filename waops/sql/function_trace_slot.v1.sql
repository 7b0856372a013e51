-- A ring of slots: the functions overwrite the oldest line of a trace. There are waops.database.tracing.CAPACITY of
-- them.
CREATE SEQUENCE waops.function_trace_slot MAXVALUE 10000 CYCLE;
