CREATE TABLE public.whatsapp_conversation_messages (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    conversation_id uuid NOT NULL,
    "timestamp" timestamp with time zone NOT NULL DEFAULT now(),
    role text NOT NULL,
    content text NOT NULL,
    message_id text,
    metadata jsonb DEFAULT '{}',
    CONSTRAINT whatsapp_conversation_messages_pkey PRIMARY KEY (id),
    CONSTRAINT whatsapp_conversation_messages_conversation_id_fkey
        FOREIGN KEY (conversation_id) REFERENCES public.whatsapp_conversations (id) ON DELETE CASCADE,
    CONSTRAINT whatsapp_conversation_messages_role_check CHECK (role IN ('user', 'assistant'))
);

CREATE INDEX idx_whatsapp_conversation_messages_conversation_id
    ON public.whatsapp_conversation_messages (conversation_id);
CREATE INDEX idx_whatsapp_conversation_messages_timestamp
    ON public.whatsapp_conversation_messages ("timestamp");

ALTER TABLE public.whatsapp_conversation_messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage messages of their instances" ON public.whatsapp_conversation_messages
    TO authenticated
    USING (
        EXISTS (
            SELECT FROM public.whatsapp_conversations AS conversation
            JOIN public.whatsapp_instances AS instance ON instance.id = conversation.instance_id
            WHERE conversation.id = conversation_id AND instance.user_id = auth.uid()
        )
    );

CREATE TRIGGER update_conversation_last_activity AFTER INSERT ON public.whatsapp_conversation_messages
    FOR EACH ROW EXECUTE FUNCTION public.update_conversation_last_activity();
