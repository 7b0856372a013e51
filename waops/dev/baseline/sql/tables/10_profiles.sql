CREATE TABLE public.profiles (
    id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    full_name text,
    business_name text,
    is_active boolean DEFAULT true,
    storage_limit_mb integer NOT NULL DEFAULT 50,
    instance_limit integer NOT NULL DEFAULT 1,
    monthly_ai_response_limit integer NOT NULL DEFAULT 100,
    monthly_ai_responses_used integer NOT NULL DEFAULT 0,
    last_responses_reset_date timestamp with time zone DEFAULT now(),
    monthly_prompt_generations_limit integer NOT NULL DEFAULT 5,
    monthly_prompt_generations_used integer NOT NULL DEFAULT 0,
    last_prompt_generations_reset_date timestamp with time zone DEFAULT now(),
    enable_smart_escalation_global boolean DEFAULT true,
    subscription_start_date timestamp with time zone DEFAULT now(),
    subscription_end_date timestamp with time zone DEFAULT now() + interval '30 days',
    plan_type public.plan_type DEFAULT 'Launch',
    subscription_period public.subscription_period DEFAULT 'Monthly',
    storage_used_mb numeric(10,2) NOT NULL DEFAULT 0,
    CONSTRAINT profiles_pkey PRIMARY KEY (id),
    CONSTRAINT profiles_id_fkey FOREIGN KEY (id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT username_length CHECK (char_length(full_name) >= 3)
);

CREATE INDEX idx_profiles_storage_usage ON public.profiles (storage_used_mb, storage_limit_mb);
CREATE INDEX idx_profiles_subscription_dates ON public.profiles (subscription_start_date, subscription_end_date);

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage their own profile" ON public.profiles
    TO authenticated USING (auth.uid() = id) WITH CHECK (auth.uid() = id);

CREATE TRIGGER update_profiles_updated_at BEFORE UPDATE ON public.profiles
    FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
