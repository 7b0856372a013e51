-- Here because whatsapp_ai_config refers to it; the app never reads it, so only its owner and instance are known.
CREATE TABLE public.google_sheets_config (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    whatsapp_instance_id uuid NOT NULL,
    CONSTRAINT google_sheets_config_pkey PRIMARY KEY (id),
    CONSTRAINT google_sheets_config_whatsapp_instance_id_fkey
        FOREIGN KEY (whatsapp_instance_id) REFERENCES public.whatsapp_instances (id) ON DELETE CASCADE
);

ALTER TABLE public.google_sheets_config ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage their own sheets" ON public.google_sheets_config
    TO authenticated USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id);
