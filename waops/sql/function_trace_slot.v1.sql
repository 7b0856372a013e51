-- The functions write the lines of a trace round and round, over the oldest one: as many as waops.database.tracing.CAPACITY.
CREATE SEQUENCE waops.function_trace_slot MAXVALUE 10000 CYCLE;
