ALTER TABLE public.whatsapp_instances ADD COLUMN escalation_threshold integer DEFAULT 3;
