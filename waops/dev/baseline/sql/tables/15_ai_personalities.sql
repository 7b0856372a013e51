CREATE TABLE public.ai_personalities (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    whatsapp_instance_id uuid NOT NULL,
    user_id uuid NOT NULL,
    name character varying(100) NOT NULL,
    description text,
    system_prompt text NOT NULL,
    temperature numeric(3,2) DEFAULT 0.7,
    model character varying(50) DEFAULT 'gpt-4.1-mini',
    intent_categories jsonb DEFAULT '[]',
    is_active boolean DEFAULT true,
    is_default boolean DEFAULT false,
    priority integer DEFAULT 1,
    process_voice_messages boolean DEFAULT true,
    voice_message_default_response text,
    default_voice_language character varying(10) DEFAULT 'en',
    usage_count integer DEFAULT 0,
    is_template boolean DEFAULT false,
    template_category character varying(50),
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT ai_personalities_pkey PRIMARY KEY (id),
    CONSTRAINT ai_personalities_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES public.profiles (id) ON DELETE CASCADE,
    CONSTRAINT ai_personalities_whatsapp_instance_id_fkey
        FOREIGN KEY (whatsapp_instance_id) REFERENCES public.whatsapp_instances (id) ON DELETE CASCADE,
    CONSTRAINT ai_personalities_temperature_check CHECK (temperature >= 0 AND temperature <= 2)
);

CREATE INDEX idx_ai_personalities_instance ON public.ai_personalities (whatsapp_instance_id);
CREATE INDEX idx_ai_personalities_user ON public.ai_personalities (user_id);
CREATE INDEX idx_ai_personalities_active ON public.ai_personalities (is_active) WHERE is_active = true;
CREATE INDEX idx_ai_personalities_default ON public.ai_personalities (whatsapp_instance_id, is_default)
    WHERE is_default = true;
CREATE INDEX idx_ai_personalities_template ON public.ai_personalities (is_template, template_category)
    WHERE is_template = true;
CREATE INDEX idx_ai_personalities_intent_categories ON public.ai_personalities USING gin (intent_categories);
CREATE UNIQUE INDEX idx_ai_personalities_single_default ON public.ai_personalities (whatsapp_instance_id)
    WHERE is_default = true;
CREATE INDEX idx_ai_personalities_intent_active
    ON public.ai_personalities (whatsapp_instance_id, intent_categories, is_active) WHERE is_active = true;
CREATE INDEX idx_ai_personalities_intent_categories_gin ON public.ai_personalities USING gin (intent_categories);

ALTER TABLE public.ai_personalities ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage their own personalities" ON public.ai_personalities
    TO authenticated USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id);

CREATE TRIGGER update_ai_personalities_updated_at BEFORE UPDATE ON public.ai_personalities
    FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
