from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def run(name: str) -> migrations.RunSQL:
    forward, reverse = SQL / f"{name}.sql", SQL / f"{name}.reverse.sql"
    return migrations.RunSQL(forward.read_text(), reverse.read_text())


class Migration(migrations.Migration):
    dependencies = [("escalations", "0001_initial")]

    operations = [
        run("0003_refuse_history_change"),
        run("0003_history_append_only"),
        run("0003_resolve_escalations"),
    ]
