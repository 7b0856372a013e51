-- What the desk's functions answer for each case. When outcome is a refusal, the columns from kind to actor_name tell
-- which act stands in the way: of the case itself, or of other_id where that is set.
CREATE TYPE waops.case_result AS (
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
