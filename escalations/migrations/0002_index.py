from django.db import migrations

from waops.operations import CreateIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("escalations", "0001_initial"), ("waops", "0001_initial")]

    operations = [
        # Whether a customer waits for a human.
        CreateIndex("""
            CREATE INDEX idx_escalated_active ON public.escalated_conversations
            USING btree (instance_id, whatsapp_number, resolved_at) WHERE resolved_at IS NULL
        """),
    ]
