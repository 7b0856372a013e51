"""What `make quick` leaves out: some files, and all but the first case of each test. `make test` runs everything."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

LEFT_OUT = {
    "browser": "drives a browser",
    "hostile": "opens every page with every extreme value",
    "pages": "sends every form and asks every address for what it does not have",
    "access/test_matrix.py": "opens every page as everybody",
    "access/test_lookups.py": "asks every list for every column",
    "conversations/edge": "runs Deno",
    "conversations/message_path/test_concurrency.py": "writes in parallel",
    "conversations/message_path/test_count_storm.py": "writes in parallel",
    "conversations/message_path/test_kills.py": "kills servers and writers",
    "conversations/message_path/test_turn_storm.py": "writes in parallel",
    "escalations/replies/test_killed.py": "kills senders",
    "escalations/desk/test_chaos.py": "has many people at one desk",
    "usage/test_hostile_rows.py": "opens every page with every extreme value",
    "usage/test_trigger_faults.py": "breaks triggers",
    "waops/benchmark": "measures",
    "waops/dbops/test_doctor_objects.py": "breaks object after object",
    "waops/dbops/test_killed_migrate.py": "kills migrations",
    "waops/dbops/test_lost_schema.py": "migrates again and again",
    "waops/dbops/test_pooler.py": "runs poolers",
    "waops/dbops/test_repair_schema.py": "breaks the schema and repairs it",
    "waops/faults": "breaks servers",
    "waops/scale": "runs poolers, replicas and Redis",
    "waops/serving": "starts gunicorn",
    "waops/schema/test_create_index_locks.py": "waits for locks",
    "waops/test_demo_data.py": "makes demo data again and again",
    "waops/test_embedded.py": "starts servers",
    "waops/test_guardian.py": "kills test runs",
    "waops/test_migrate.py": "migrates again and again",
}
"""Files and folders of tests, each with what takes its time."""


def check() -> None:
    """Raises FileNotFoundError if a test has moved: it would no longer be left out."""
    for name in LEFT_OUT:
        (TESTS / name).stat()


def leaves_out(path: Path) -> bool:
    return path.is_relative_to(TESTS) and any(path.is_relative_to(TESTS / name) for name in LEFT_OUT)


def further_cases(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Those of a test that has been seen with other parameters."""
    seen = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if test in seen:
            yield item
        seen.add(test)
