-- Who is asking: the subject of the request's token, which the REST server leaves in a setting (its older form first).
CREATE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE sql STABLE
AS $$
    SELECT coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )::uuid
$$;

ALTER FUNCTION auth.uid() OWNER TO supabase_auth_admin;
