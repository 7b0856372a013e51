-- How many messages each conversation has, kept by triggers. A count is exact or unknown, never wrong.
-- It is unknown without a row here, while `messages` is null, while `basis` differs from the current
-- waops.count_triggers, and while waops.message_count_missed names the conversation; all are unknown once
-- waops.message_count_lost is called. So any row may be deleted, and the table may be emptied.
-- No foreign key: TRUNCATE of the service's tables would need rights here.
-- `basis`: waops.count_triggers when the messages were counted. `table_oid`: the table whose trigger last wrote the
-- row. `counted_at`: statement_timestamp() of the statement that counted the messages. A trigger that fires in the same
-- statement cannot tell whether its change was counted, and makes the count unknown. `noted_at`: that of the last
-- statement whose change a trigger added, which shows a store that the triggers are at work.
-- Room on every page and no index on the number: the row is rewritten in place with each message.
CREATE TABLE waops.message_count (
    conversation_id uuid NOT NULL,
    messages bigint,
    table_oid oid NOT NULL,
    basis bigint,
    counted_at timestamp with time zone,
    noted_at timestamp with time zone,
    CONSTRAINT message_count_pkey PRIMARY KEY (conversation_id)
) WITH (fillfactor = 50);

-- Conversations whose messages changed while the count could not be written: locked, say. Rows are appended in the
-- transaction of the change, so anyone who sees the change sees that it was missed. Counting again deletes them.
CREATE TABLE waops.message_count_missed (
    conversation_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
    CONSTRAINT message_count_missed_pkey PRIMARY KEY (conversation_id, id)
);

-- Called when neither of the tables could be written. A sequence, because nextval needs no name and no table, and is
-- not rolled back. Once it is called no count is trusted, until waops.forget_counts resets it. Open to everyone: the
-- trigger must reach it even if its function has another owner.
CREATE SEQUENCE waops.message_count_lost;
GRANT USAGE ON SEQUENCE waops.message_count_lost TO PUBLIC;

-- The service's functions look the count up with the service's rights, and count where they may not.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT SELECT ON TABLE waops.message_count TO service_role;
        GRANT SELECT ON TABLE waops.message_count_missed TO service_role;
        GRANT SELECT ON SEQUENCE waops.message_count_lost TO service_role;
    END IF;
END
$$;
