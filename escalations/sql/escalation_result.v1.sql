-- The result of the desk's functions for each escalation. If the outcome is a refusal, the columns from kind to
-- actor_name are about the event that prevents the action: of the escalation itself, or of other_id if that is set.
CREATE TYPE waops.escalation_result AS (
    escalation_id uuid,
    whatsapp_number text,
    outcome text,
    kind text,
    at timestamp with time zone,
    actor_id bigint,
    actor_name text,
    until timestamp with time zone,
    version integer,
    other_id uuid,
    merged integer
);
