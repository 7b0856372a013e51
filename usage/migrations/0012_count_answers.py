from django.db import migrations

from waops.operations import InstallFunction, RunSQLFile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("usage", "0011_quota_history")]

    operations = [
        InstallFunction("waops.count_answers(text, boolean)", "0012_count_answers", grant=False),
        InstallFunction("waops.refresh_usage(text, integer, boolean)", "0012_refresh_usage", grant=False),
        InstallFunction("waops.reprice_usage(text[])", "0012_reprice_usage", grant=False),
        InstallFunction("waops.queue_answers()", "0012_queue_answers", grant=False),
        RunSQLFile("0012_queue_answers_triggers"),
    ]
