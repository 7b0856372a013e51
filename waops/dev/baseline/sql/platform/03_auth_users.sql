-- The few columns of Supabase's auth.users that the service refers to.
CREATE TABLE auth.users (
    id uuid NOT NULL,
    email text,
    created_at timestamp with time zone DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id)
);

ALTER TABLE auth.users OWNER TO supabase_auth_admin;
