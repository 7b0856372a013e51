from django.db import migrations

from waops.operations import CreateIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0003_permissions")]

    operations = [
        # A webhook delivered twice. Not partial: an upsert over REST cannot infer a partial index.
        CreateIndex(
            """
            CREATE UNIQUE INDEX uniq_messages_conversation_message_id ON public.whatsapp_conversation_messages
            USING btree (conversation_id, message_id)
            """,
            repair="repair_duplicate_messages",
        ),
    ]
