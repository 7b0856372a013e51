CREATE TABLE public.whatsapp_ai_interactions (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    whatsapp_instance_id uuid NOT NULL,
    user_message text NOT NULL,
    user_phone text NOT NULL,
    ai_response text NOT NULL,
    context_token_count integer,
    search_result_count integer,
    response_model text,
    prompt_tokens integer,
    completion_tokens integer,
    total_tokens integer,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    metadata jsonb DEFAULT '{}',
    CONSTRAINT whatsapp_ai_interactions_pkey PRIMARY KEY (id),
    CONSTRAINT whatsapp_ai_interactions_whatsapp_instance_id_fkey
        FOREIGN KEY (whatsapp_instance_id) REFERENCES public.whatsapp_instances (id) ON DELETE CASCADE
);

CREATE INDEX idx_whatsapp_ai_interactions_metadata ON public.whatsapp_ai_interactions USING gin (metadata);
CREATE INDEX idx_whatsapp_ai_interactions_personality
    ON public.whatsapp_ai_interactions ((metadata ->> 'personality_id'))
    WHERE metadata ->> 'personality_id' IS NOT NULL;
CREATE INDEX whatsapp_ai_interactions_instance_id_idx ON public.whatsapp_ai_interactions (whatsapp_instance_id);
CREATE INDEX whatsapp_ai_interactions_created_at_idx ON public.whatsapp_ai_interactions (created_at);

ALTER TABLE public.whatsapp_ai_interactions ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users see AI interactions of their instances" ON public.whatsapp_ai_interactions
    TO authenticated
    USING (
        EXISTS (
            SELECT FROM public.whatsapp_instances AS instance
            WHERE instance.id = whatsapp_instance_id AND instance.user_id = auth.uid()
        )
    );

CREATE TRIGGER update_whatsapp_ai_interactions_updated_at BEFORE UPDATE ON public.whatsapp_ai_interactions
    FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
