"""A migrate that is killed at random moments, and then run to the end, leaves what an undisturbed one leaves."""

import os
import subprocess
import sys

import psycopg
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from psycopg import conninfo

from tests.databases import Databases
from waops.dev.embedded.server import EmbeddedServer

KILLS = 20
ROWS = """
    INSERT INTO auth.users (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO profiles (id) VALUES ('00000000-0000-0000-0000-000000000001');
    INSERT INTO whatsapp_instances (id, user_id, instance_name)
    VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'shop');
    INSERT INTO whatsapp_conversations (id, instance_id, user_phone)
    VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000002', '201012345678');
    INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id)
    SELECT '00000000-0000-0000-0000-000000000003', 'user', 'message ' || n, n::text FROM generate_series(1, 20000) AS n;
"""
RECORDS = "SELECT kind, identity, installed_by, before::text FROM waops.waops_installedobject ORDER BY 1, 2, 3"


def schema_of(server: EmbeddedServer, dsn: str, *options: str) -> list[str]:
    """`pg_dump --schema-only`, without the lines that differ between any two dumps."""
    dump = subprocess.run(
        [str(server.binaries / "pg_dump"), "--schema-only", *options, f"--dbname={dsn}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def test_killed_twenty_times_and_run_to_the_end(
    server: EmbeddedServer, databases: Databases, owner_database: str, django_db_blocker
) -> None:
    with psycopg.connect(owner_database) as session:
        session.execute(ROWS)
    parts = conninfo.conninfo_to_dict(owner_database)
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}",
        "SECRET_KEY": "x" * 50,
        "DJANGO_SETTINGS_MODULE": "waops.settings",
        "PYTHONPATH": str(settings.BASE_DIR),
    }
    script = [sys.executable, "-W", "ignore", "tests/waops/dbops/killed_migrate.py", str(KILLS), "2026"]
    killed = subprocess.run(script, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True)
    assert killed.stdout.splitlines() == ["killed"] * KILLS, killed.stdout + killed.stderr
    with psycopg.connect(owner_database) as session:
        # They came while there was work, and it had begun.
        (applied,) = session.execute("SELECT count(*) FROM waops.django_migrations").fetchone() or (0,)
        assert 0 < applied < len(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    final = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert final.returncode == 0, final.stderr
    with django_db_blocker.unblock(), databases.clone("migrated") as undisturbed:
        expected = server.dsn(dbname=undisturbed)
        assert schema_of(server, owner_database) == schema_of(server, expected)
        with psycopg.connect(owner_database) as one, psycopg.connect(expected) as other:
            assert one.execute(RECORDS).fetchall() == other.execute(RECORDS).fetchall()
            query = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
            assert one.execute(query).fetchone() == (0,)
