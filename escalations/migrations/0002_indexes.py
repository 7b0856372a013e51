from django.db import migrations

from waops.schema import CreateIndex, CreateIndexWherePossible

# Folds the spellings of Arabic letters, digits and punctuation into one, drops vowel marks and tatweel, and makes each
# number a separate word. Uses only functions of Postgres, because each role that writes a message must be able to
# execute what its indexes use. Frozen; escalations/folding.py folds the same way.
VARIANTS = (
    "\u0622\u0623\u0625\u0671\u0649\u06cc\u0629\u06a9"
    "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669"
    "\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9"
    "\u060c\u061b\u061f"
    "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0653\u0654\u0655\u0670\u0640"
)
FOLDED = "\u0627\u0627\u0627\u0627\u064a\u064a\u0647\u064301234567890123456789   "
WORDS = (
    f"""to_tsvector('simple', regexp_replace(translate("left"(%s, 20000), '{VARIANTS}', '{FOLDED}'), """
    r"""'([^0-9 ])([0-9])', '\1 \2', 'g'))"""
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("escalations", "0001_desk_tables"), ("waops", "0001_tables"), ("conversations", "0003_functions")]

    operations = [
        # Whether a customer is waiting for a person.
        CreateIndex("""
            CREATE INDEX idx_escalated_active ON public.escalated_conversations
            USING btree (instance_id, whatsapp_number, resolved_at) WHERE resolved_at IS NULL
        """),
        # The deployed unique constraint includes the nullable resolved_at and so stops no second open row.
        CreateIndex(
            """
            CREATE UNIQUE INDEX uniq_escalated_open ON public.escalated_conversations
            USING btree (instance_id, whatsapp_number) WHERE resolved_at IS NULL
            """,
            repair="duplicate_escalations",
        ),
        # Search in the messages' words, in any spelling.
        CreateIndex(f"""
            CREATE INDEX idx_messages_folded ON public.whatsapp_conversation_messages
            USING gin ({WORDS % "content"})
        """),
        # Search for customers by name.
        CreateIndexWherePossible(f"""
            CREATE INDEX idx_customers_name_folded ON public.customer_profiles
            USING gin ({WORDS % "name"})
        """),
        # Search by the last digits of a number.
        CreateIndex("""
            CREATE INDEX idx_conversations_phone_reversed ON public.whatsapp_conversations
            USING btree (reverse(user_phone) text_pattern_ops)
        """),
        CreateIndex("""
            CREATE INDEX idx_escalated_number_reversed ON public.escalated_conversations
            USING btree (reverse(whatsapp_number) text_pattern_ops)
        """),
        # Customers who were recently told that a person would take over.
        CreateIndex("""
            CREATE INDEX idx_messages_handed_over ON public.whatsapp_conversation_messages
            USING btree ("timestamp") WHERE role = 'assistant' AND message_id LIKE 'escalation\\_%'
        """),
        # The desk's reports over a range of days.
        CreateIndex("""
            CREATE INDEX idx_escalated_opened ON public.escalated_conversations USING btree (escalated_at)
        """),
        # How frequent words are: the search chooses its plan by that.
        migrations.RunSQL("ANALYZE public.whatsapp_conversation_messages", migrations.RunSQL.noop),
    ]
