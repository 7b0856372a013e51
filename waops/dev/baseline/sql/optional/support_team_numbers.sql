CREATE TABLE public.support_team_numbers (
    id uuid NOT NULL DEFAULT extensions.uuid_generate_v4(),
    user_id uuid,
    whatsapp_number text NOT NULL,
    is_active boolean DEFAULT true,
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    whatsapp_instance_id uuid,
    CONSTRAINT support_team_numbers_instance_number_unique UNIQUE (whatsapp_instance_id, whatsapp_number),
    CONSTRAINT support_team_numbers_pkey PRIMARY KEY (id),
    CONSTRAINT support_team_numbers_instance_id_fkey
        FOREIGN KEY (whatsapp_instance_id) REFERENCES public.whatsapp_instances (id) ON DELETE CASCADE,
    CONSTRAINT support_team_numbers_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE
);

CREATE INDEX idx_support_team_active ON public.support_team_numbers (user_id, is_active);
CREATE INDEX idx_support_team_instance_active ON public.support_team_numbers (whatsapp_instance_id, is_active)
    WHERE is_active = true;

ALTER TABLE public.support_team_numbers ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users manage their own support numbers" ON public.support_team_numbers
    TO authenticated USING (auth.uid() = user_id) WITH CHECK (auth.uid() = user_id);
