-- How many messages a conversation has. A row is exact whenever it exists, because triggers keep it; a conversation
-- that nobody has written to since then has none, and is counted once, at the first touch. So any row may be deleted.
-- No foreign key: it would make TRUNCATE of the service's tables need rights here.
CREATE TABLE waops.message_count (
    conversation_id uuid NOT NULL,
    messages bigint NOT NULL,
    CONSTRAINT message_count_pkey PRIMARY KEY (conversation_id)
) WITH (fillfactor = 50);

-- Room on every page (above) and no index on the number: the row is rewritten at each message, in place.

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'service_role') THEN
        GRANT SELECT ON waops.message_count TO service_role;
    END IF;
END
$$;
