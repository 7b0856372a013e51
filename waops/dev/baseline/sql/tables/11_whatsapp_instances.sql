CREATE TABLE public.whatsapp_instances (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    instance_name character varying NOT NULL,
    status character varying NOT NULL DEFAULT 'DISCONNECTED',
    last_connected timestamp with time zone,
    created_at timestamp with time zone NOT NULL DEFAULT timezone('utc', now()),
    updated_at timestamp with time zone NOT NULL DEFAULT timezone('utc', now()),
    reject_calls boolean NOT NULL DEFAULT false,
    reject_calls_message text DEFAULT 'عذراً، لا نستقبل المكالمات على هذا الرقم. من فضلك أرسل رسالة نصية.',
    escalation_enabled boolean DEFAULT false,
    escalation_message text DEFAULT 'تم تحويل محادثتك إلى فريق الدعم. سيتواصل معك أحد ممثلينا قريباً.',
    escalated_conversation_message text
        DEFAULT 'محادثتك قيد المراجعة من فريق الدعم. سنتواصل معك قريباً.',
    escalation_keywords text[],
    smart_escalation_enabled boolean DEFAULT true,
    keyword_escalation_enabled boolean DEFAULT true,
    custom_escalation_enabled boolean DEFAULT false,
    custom_escalation_instructions text,
    CONSTRAINT unique_instance_name UNIQUE (instance_name),
    CONSTRAINT whatsapp_instances_user_id_instance_name_key UNIQUE (user_id, instance_name),
    CONSTRAINT whatsapp_instances_pkey PRIMARY KEY (id),
    CONSTRAINT valid_instance_name CHECK (instance_name ~ '^[a-zA-Z0-9]+$')
);

CREATE INDEX idx_whatsapp_instances_custom_escalation ON public.whatsapp_instances (custom_escalation_enabled)
    WHERE custom_escalation_enabled = true;
CREATE INDEX idx_whatsapp_instances_active ON public.whatsapp_instances (id) WHERE status = 'connected';
CREATE INDEX idx_whatsapp_instances_escalation_methods
    ON public.whatsapp_instances (smart_escalation_enabled, keyword_escalation_enabled)
    WHERE escalation_enabled = true;

ALTER TABLE public.whatsapp_instances ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage their own instances" ON public.whatsapp_instances
    TO authenticated USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id);

CREATE TRIGGER update_whatsapp_instances_updated_at BEFORE UPDATE ON public.whatsapp_instances
    FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
