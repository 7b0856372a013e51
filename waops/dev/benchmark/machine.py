"""Describe the machine that was measured."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import psycopg

SETTINGS = """
    SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings
    WHERE name IN (
        'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size', 'work_mem',
        'max_connections', 'autovacuum', 'jit', 'wal_level', 'wal_compression'
    )
    ORDER BY name
"""


def describe(connection: psycopg.Connection) -> dict[str, Any]:
    """Machine, versions and the server's settings."""
    version = connection.execute("SELECT pg_catalog.version()").fetchone()
    assert version is not None
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "load_average": os.getloadavg()[0],
        "postgres": version[0].split(" on ")[0],
        "python": platform.python_version(),
        "django": django.get_version(),
        "psycopg": psycopg.__version__,
        "settings": dict(connection.execute(SETTINGS).fetchall()),
    }


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()
