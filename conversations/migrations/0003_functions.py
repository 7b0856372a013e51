from django.db import migrations

from conversations.preflight import refuse_unfit_tables
from waops.schema import InstallFunction, RunSQLFile


class Migration(migrations.Migration):
    # The operations wait for their locks briefly and repeatedly, which they cannot inside one transaction.
    atomic = False

    dependencies = [
        ("conversations", "0002_indexes"),
        ("usage", "0003_functions"),
        ("waops", "0002_functions"),
        ("waffle", "0004_update_everyone_nullbooleanfield"),
    ]

    # What triggers and functions use, then they themselves, then what the service calls.
    operations = [
        migrations.RunPython(refuse_unfit_tables, migrations.RunPython.noop),
        RunSQLFile("message_count"),
        RunSQLFile("turn_service_role"),
        RunSQLFile("waffle_sample_read"),
        InstallFunction("count_messages", grant=False),
        RunSQLFile("message_count_triggers"),
        InstallFunction("forget_message_counts", grant=False),
        RunSQLFile("forget_message_counts_trigger"),
        InstallFunction("count_triggers"),
        InstallFunction("count_basis"),
        InstallFunction("exact_count"),
        InstallFunction("forget_counts", grant=False),
        InstallFunction("empty_message_id", grant=False),
        RunSQLFile("empty_message_id_trigger"),
        InstallFunction("whatsapp_forms"),
        InstallFunction("whatsapp_customer"),
        InstallFunction("find_turn"),
        InstallFunction("close_turn"),
        InstallFunction("return_quota"),
        InstallFunction("describe_turn"),
        InstallFunction("answer_turn"),
        InstallFunction("waops_end_turn"),
        InstallFunction("begin_turn"),
        InstallFunction("reply_to_turn"),
        InstallFunction("end_run_out_turn", grant=False),
        InstallFunction("store_message_with_update"),
        InstallFunction("store_message_and_update_conversation"),
        InstallFunction("store_messages"),
        InstallFunction("get_conversation_with_context"),
        InstallFunction("get_instance_state"),
        InstallFunction("update_personality_usage_batch"),
        InstallFunction("message_arrived"),
        InstallFunction("reply_ready"),
        InstallFunction("turn_state"),
        InstallFunction("end_turn"),
        InstallFunction("turn_sent"),
        InstallFunction("function_switches"),
        InstallFunction("report_fallback"),
    ]
