CREATE TABLE public.customer_profiles (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    whatsapp_instance_id uuid NOT NULL,
    phone_number text NOT NULL,
    name text,
    email text,
    company text,
    customer_stage text DEFAULT 'new',
    tags text[] DEFAULT '{}',
    conversation_summary text,
    key_points jsonb DEFAULT '[]',
    preferences jsonb DEFAULT '{}',
    last_interaction timestamp with time zone,
    first_interaction timestamp with time zone DEFAULT now(),
    total_messages integer DEFAULT 0,
    ai_interactions integer DEFAULT 0,
    customer_intent text,
    customer_mood text,
    urgency_level text DEFAULT 'normal',
    communication_style text,
    journey_stage text,
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    last_summary_update timestamp with time zone DEFAULT now(),
    action_items jsonb DEFAULT '[]',
    messages_since_last_summary integer DEFAULT 0,
    CONSTRAINT customer_profiles_whatsapp_instance_id_phone_number_key UNIQUE (whatsapp_instance_id, phone_number),
    CONSTRAINT customer_profiles_pkey PRIMARY KEY (id),
    CONSTRAINT customer_profiles_whatsapp_instance_id_fkey
        FOREIGN KEY (whatsapp_instance_id) REFERENCES public.whatsapp_instances (id) ON DELETE CASCADE,
    CONSTRAINT customer_profiles_communication_style_check
        CHECK (communication_style IN ('formal', 'friendly', 'direct', 'detailed')),
    CONSTRAINT customer_profiles_customer_intent_check
        CHECK (customer_intent IN ('purchase', 'inquiry', 'support', 'complaint', 'comparison')),
    CONSTRAINT customer_profiles_customer_mood_check
        CHECK (customer_mood IN ('happy', 'frustrated', 'neutral', 'excited', 'confused')),
    CONSTRAINT customer_profiles_customer_stage_check
        CHECK (customer_stage IN ('new', 'interested', 'customer', 'loyal')),
    CONSTRAINT customer_profiles_journey_stage_check
        CHECK (journey_stage IN ('first_time', 'researching', 'ready_to_buy', 'existing_customer')),
    CONSTRAINT customer_profiles_urgency_level_check
        CHECK (urgency_level IN ('urgent', 'high', 'normal', 'low'))
);

CREATE INDEX idx_customer_profiles_phone ON public.customer_profiles (phone_number);
CREATE INDEX idx_customer_profiles_instance ON public.customer_profiles (whatsapp_instance_id);
CREATE INDEX idx_customer_profiles_stage ON public.customer_profiles (customer_stage);
CREATE INDEX idx_customer_profiles_last_interaction ON public.customer_profiles (last_interaction DESC);
CREATE INDEX idx_customer_profiles_instance_phone ON public.customer_profiles (whatsapp_instance_id, phone_number);
CREATE INDEX idx_customer_profiles_intent ON public.customer_profiles (customer_intent);
CREATE INDEX idx_customer_profiles_mood ON public.customer_profiles (customer_mood);
CREATE INDEX idx_customer_profiles_urgency ON public.customer_profiles (urgency_level);
CREATE INDEX idx_customer_profiles_journey ON public.customer_profiles (journey_stage);
CREATE INDEX idx_customer_profiles_last_summary_update ON public.customer_profiles (last_summary_update);
CREATE INDEX idx_customer_profiles_messages_since_summary ON public.customer_profiles (messages_since_last_summary);
CREATE INDEX idx_customer_profiles_search_name
    ON public.customer_profiles USING gin (to_tsvector('english', coalesce(name, '')));
CREATE INDEX idx_customer_profiles_search_company
    ON public.customer_profiles USING gin (to_tsvector('english', coalesce(company, '')));
CREATE INDEX idx_customer_profiles_search_summary
    ON public.customer_profiles USING gin (to_tsvector('english', coalesce(conversation_summary, '')));
CREATE INDEX idx_customer_profiles_filters ON public.customer_profiles (
    whatsapp_instance_id, customer_stage, customer_intent, customer_mood, urgency_level, last_interaction DESC
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm') THEN
        CREATE INDEX idx_customer_profiles_phone_search
            ON public.customer_profiles USING gin (phone_number extensions.gin_trgm_ops);
        CREATE INDEX idx_customer_profiles_email_search
            ON public.customer_profiles USING gin (coalesce(email, '') extensions.gin_trgm_ops);
    END IF;
END
$$;

ALTER TABLE public.customer_profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage customers of their instances" ON public.customer_profiles
    TO authenticated
    USING (
        EXISTS (
            SELECT FROM public.whatsapp_instances AS instance
            WHERE instance.id = whatsapp_instance_id AND instance.user_id = auth.uid()
        )
    );
