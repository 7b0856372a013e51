from django.db import migrations

from waops.operations import CreateIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("escalations", "0002_index"), ("escalations", "0004_permissions")]

    operations = [
        # The deployed unique constraint includes the nullable resolved_at and so stops no second open row.
        CreateIndex(
            """
            CREATE UNIQUE INDEX uniq_escalated_open ON public.escalated_conversations
            USING btree (instance_id, whatsapp_number) WHERE resolved_at IS NULL
            """,
            repair="repair_duplicate_escalations",
        ),
    ]
