from django.db import migrations

from waops.schema import InstallFunction, RunSQLFile


class Migration(migrations.Migration):
    # The operations wait for their locks briefly and repeatedly, which they cannot inside one transaction.
    atomic = False

    dependencies = [("waops", "0001_tables")]

    # What triggers and functions use, then they themselves, then what the service calls.
    operations = [
        RunSQLFile("stored_by_function"),
        RunSQLFile("function_trace_slot"),
        InstallFunction("refuse_change", grant=False),
        RunSQLFile("sign_ins_append_only"),
        RunSQLFile("access_record_append_only"),
        InstallFunction("note_traces", grant=False),
        RunSQLFile("traced_until"),
        InstallFunction("trace_call"),
    ]
