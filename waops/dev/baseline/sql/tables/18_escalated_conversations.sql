CREATE TABLE public.escalated_conversations (
    id uuid NOT NULL DEFAULT extensions.uuid_generate_v4(),
    whatsapp_number text NOT NULL,
    instance_id uuid,
    escalated_at timestamp with time zone DEFAULT now(),
    reason text,
    conversation_context jsonb DEFAULT '[]',
    resolved_at timestamp with time zone,
    resolved_by uuid,
    created_at timestamp with time zone DEFAULT now(),
    CONSTRAINT unique_active_escalation UNIQUE (whatsapp_number, instance_id, resolved_at),
    CONSTRAINT escalated_conversations_pkey PRIMARY KEY (id),
    CONSTRAINT escalated_conversations_instance_id_fkey
        FOREIGN KEY (instance_id) REFERENCES public.whatsapp_instances (id) ON DELETE CASCADE,
    CONSTRAINT escalated_conversations_resolved_by_fkey FOREIGN KEY (resolved_by) REFERENCES auth.users (id),
    CONSTRAINT escalated_conversations_reason_check
        CHECK (reason IN ('user_request', 'ai_detected_intent') OR reason IS NULL)
);

CREATE INDEX idx_escalated_conversations_instance ON public.escalated_conversations (instance_id);
CREATE INDEX idx_escalated_conversations_status ON public.escalated_conversations (resolved_at);
CREATE INDEX idx_escalated_conversations_number ON public.escalated_conversations (whatsapp_number);

ALTER TABLE public.escalated_conversations ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage escalations of their instances" ON public.escalated_conversations
    TO authenticated
    USING (
        EXISTS (
            SELECT FROM public.whatsapp_instances AS instance
            WHERE instance.id = instance_id AND instance.user_id = auth.uid()
        )
    );
