from django.db import migrations

from waops.schema import InstallFunction, RunSQLFile


class Migration(migrations.Migration):
    # The operations wait for their locks briefly and repeatedly, which they cannot inside one transaction.
    atomic = False

    dependencies = [("escalations", "0002_indexes")]

    # What triggers and functions use, then they themselves, then what the service calls.
    operations = [
        RunSQLFile("escalation_result"),
        RunSQLFile("history_append_only"),
        InstallFunction("resolve_escalations", grant=False),
        InstallFunction("woke_at", grant=False),
        InstallFunction("lock_escalations", grant=False),
        InstallFunction("check_escalations", grant=False),
        InstallFunction("escalation_results", grant=False),
        InstallFunction("claim_escalations", grant=False),
        InstallFunction("renew_claims", grant=False),
        InstallFunction("release_escalations", grant=False),
        InstallFunction("hand_over_escalations", grant=False),
        InstallFunction("snooze_escalations", grant=False),
        InstallFunction("wake_escalations", grant=False),
        InstallFunction("note_escalations", grant=False),
        InstallFunction("reopen_escalations", grant=False),
        InstallFunction("escalate_by_hand", grant=False),
    ]
