CREATE TABLE public.whatsapp_conversations (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    instance_id uuid NOT NULL,
    user_phone text NOT NULL,
    started_at timestamp with time zone NOT NULL DEFAULT now(),
    last_activity timestamp with time zone NOT NULL DEFAULT now(),
    status text NOT NULL DEFAULT 'active',
    conversation_data jsonb DEFAULT '{}',
    CONSTRAINT whatsapp_conversations_instance_id_user_phone_key UNIQUE (instance_id, user_phone),
    CONSTRAINT whatsapp_conversations_pkey PRIMARY KEY (id),
    CONSTRAINT whatsapp_conversations_instance_id_fkey
        FOREIGN KEY (instance_id) REFERENCES public.whatsapp_instances (id) ON DELETE CASCADE,
    CONSTRAINT whatsapp_conversations_status_check CHECK (status IN ('active', 'inactive', 'closed'))
);

CREATE INDEX idx_whatsapp_conversations_status ON public.whatsapp_conversations (status);
CREATE INDEX idx_whatsapp_conversations_last_activity ON public.whatsapp_conversations (last_activity);
CREATE INDEX idx_conversations_phone_instance ON public.whatsapp_conversations (user_phone, instance_id);

ALTER TABLE public.whatsapp_conversations ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage conversations of their instances" ON public.whatsapp_conversations
    TO authenticated
    USING (
        EXISTS (
            SELECT FROM public.whatsapp_instances AS instance
            WHERE instance.id = instance_id AND instance.user_id = auth.uid()
        )
    );
