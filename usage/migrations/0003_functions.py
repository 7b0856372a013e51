from django.db import migrations

from waops.schema import InstallFunction, RunSQLFile


class Migration(migrations.Migration):
    # The operations wait for their locks briefly and repeatedly, which they cannot inside one transaction.
    atomic = False

    dependencies = [("usage", "0002_indexes"), ("waops", "0002_functions")]

    # What triggers and functions use, then they themselves, then what the service calls.
    operations = [
        RunSQLFile("service_role"),
        RunSQLFile("usage_missed_answers"),
        RunSQLFile("usage_missed_changes"),
        RunSQLFile("quota_history_append_only"),
        InstallFunction("record_outside_change", grant=False),
        RunSQLFile("record_outside_change_trigger"),
        InstallFunction("count_answers", grant=False),
        InstallFunction("refresh_usage", grant=False),
        InstallFunction("reprice_usage", grant=False),
        InstallFunction("queue_answers", grant=False),
        RunSQLFile("queue_answers_triggers"),
        InstallFunction("usage_basis", grant=False),
        InstallFunction("check_and_update_ai_usage"),
    ]
