"""What `make quick` leaves out: some files and tests, further cases of a test, and most of a property's examples.

`make test` runs everything.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
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
    "conversations/message_path/test_installation.py": "migrates",
    "conversations/message_path/test_count_storm.py": "writes in parallel",
    "conversations/message_path/test_kills.py": "kills servers and writers",
    "conversations/message_path/test_turn_storm.py": "writes in parallel",
    "escalations/replies/test_breaking.py": "waits for gateways that hang",
    "escalations/replies/test_killed.py": "kills senders",
    "escalations/desk/test_chaos.py": "has many people at one desk",
    "escalations/search/test_search_indexes.py": "migrates",
    "usage/test_hostile_rows.py": "opens every page with every extreme value",
    "usage/test_trigger_faults.py": "breaks triggers",
    "waops/benchmark": "measures",
    "waops/dbops/test_backup.py": "runs pg_dump",
    "waops/dbops/test_before_migrate.py": "migrates",
    "waops/dbops/test_checklist.py::test_before_the_step_anything_recorded_counts": "migrates",
    "waops/dbops/test_doctor_objects.py": "breaks object after object",
    "waops/dbops/test_doctor_state.py": "breaks one thing after another",
    "waops/dbops/test_killed_migrate.py": "kills migrations",
    "waops/dbops/test_lost_schema.py": "migrates again and again",
    "waops/dbops/test_pages.py::test_pages_answer_while_a_table_is_locked": "waits for locks",
    "waops/dbops/test_pooler.py": "runs poolers",
    "waops/dbops/test_repair_schema.py": "breaks the schema and repairs it",
    "waops/dbops/test_repairs.py::test_a_repaired_function_is_still_reversed_to_what_was_there_first": "migrates",
    "waops/faults": "breaks servers",
    "waops/scale": "runs poolers, replicas and Redis",
    "waops/serving": "starts gunicorn",
    "waops/test_role_sql.py": "opens every page as another role",
    "waops/test_connection_checks.py": "starts a command for each problem",
    "waops/schema/test_create_index_locks.py": "waits for locks",
    "waops/test_demo_data.py": "makes demo data again and again",
    "waops/test_demo_desk.py": "makes demo data again and again",
    "waops/test_embedded.py": "starts servers",
    "waops/test_guardian.py": "kills test runs",
    "waops/test_migrate.py": "migrates again and again",
    "waops/test_settings.py::test_an_unusable_variable_stops_commands_with_a_reason": "starts commands",
    "waops/test_settings.py::test_pages_open_with_the_debug_toolbar": "starts a command",
    "waops/test_terminal.py::test_every_command_prints_hostile_names_as_they_are": "runs every command",
}
"""Folders, files and tests, each with what takes its time."""

shortened = False
"""Whether this run leaves them out."""


def check() -> None:
    """Raises LookupError if a test has moved: it would no longer be left out."""
    for name in LEFT_OUT:
        path, _, test = name.partition("::")
        if not (TESTS / path).exists() or (test and not re.search(rf"^def {test}\(", (TESTS / path).read_text(), re.M)):
            raise LookupError(f"tests/quick.py: there is no {name}.")


def leaves_out(path: Path) -> bool:
    """Whether a folder or file is left out."""
    return path.is_relative_to(TESTS) and path.relative_to(TESTS).as_posix() in LEFT_OUT


def left_out(items: Iterable[pytest.Item], named: Sequence[str]) -> Iterator[pytest.Item]:
    """Tests of the list above that are not named, and those that have been seen with other parameters."""
    seen = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if test in seen or (test.removeprefix("tests/") in LEFT_OUT and test not in named):
            yield item
        seen.add(test)


def examples(count: int) -> int:
    """How many examples of a property to try, of so many."""
    return max(count // 10, 5) if shortened else count
