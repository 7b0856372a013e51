ALTER TABLE public.escalated_conversations
    DROP CONSTRAINT escalated_conversations_reason_check,
    ADD CONSTRAINT escalated_conversations_reason_check CHECK (
        reason IN ('user_request', 'ai_failure', 'sensitive_topic', 'low_confidence', 'repeated_question')
    );
