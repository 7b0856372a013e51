CREATE TABLE public.whatsapp_ai_config (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    whatsapp_instance_id uuid NOT NULL,
    system_prompt text NOT NULL,
    is_active boolean NOT NULL DEFAULT false,
    temperature numeric NOT NULL DEFAULT 1.0,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    process_voice_messages boolean NOT NULL DEFAULT true,
    voice_message_default_response text DEFAULT 'عذراً، لم أتمكن من فهم الرسالة الصوتية. من فضلك اكتب رسالتك.',
    default_voice_language text NOT NULL DEFAULT 'ar',
    use_personality_system boolean DEFAULT true,
    fallback_personality_id uuid,
    intent_recognition_enabled boolean NOT NULL DEFAULT true,
    intent_confidence_threshold numeric(3,2) DEFAULT 0.7,
    total_personality_switches integer DEFAULT 0,
    intent_recognition_accuracy numeric(5,4) DEFAULT 0.0,
    personality_system_metadata jsonb DEFAULT '{}',
    enable_data_collection boolean DEFAULT false,
    data_collection_config_id uuid,
    CONSTRAINT whatsapp_ai_config_whatsapp_instance_id_key UNIQUE (whatsapp_instance_id),
    CONSTRAINT whatsapp_ai_config_pkey PRIMARY KEY (id),
    CONSTRAINT whatsapp_ai_config_data_collection_config_id_fkey
        FOREIGN KEY (data_collection_config_id) REFERENCES public.google_sheets_config (id) ON DELETE SET NULL,
    CONSTRAINT whatsapp_ai_config_fallback_personality_id_fkey
        FOREIGN KEY (fallback_personality_id) REFERENCES public.ai_personalities (id) ON DELETE SET NULL,
    CONSTRAINT whatsapp_ai_config_whatsapp_instance_id_fkey
        FOREIGN KEY (whatsapp_instance_id) REFERENCES public.whatsapp_instances (id) ON DELETE CASCADE,
    CONSTRAINT whatsapp_ai_config_intent_confidence_threshold_check
        CHECK (intent_confidence_threshold >= 0 AND intent_confidence_threshold <= 1)
);

CREATE INDEX idx_whatsapp_ai_config_fallback_personality ON public.whatsapp_ai_config (fallback_personality_id)
    WHERE fallback_personality_id IS NOT NULL;
CREATE INDEX idx_whatsapp_ai_config_personality_system ON public.whatsapp_ai_config (use_personality_system)
    WHERE use_personality_system = true;

ALTER TABLE public.whatsapp_ai_config ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage their own AI settings" ON public.whatsapp_ai_config
    TO authenticated USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id);

CREATE TRIGGER update_whatsapp_ai_config_updated_at BEFORE UPDATE ON public.whatsapp_ai_config
    FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
