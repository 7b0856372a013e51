"""After `repair schema` each kept count is exact, whatever the service wrote while something of ours was gone."""

import re
from io import StringIO

import pytest
from django.core.management import call_command

from tests.databases import Databases
from tests.waops.faults import catalog_faults
from tests.waops.faults.catalog_faults import Fault
from tests.waops.faults.test_counts_after_faults import World, world_of_its_own
from waops.dev.embedded.server import EmbeddedServer


def chosen(world: World, kind: str) -> list[Fault]:
    """Each object that the service reaches; of a table's columns, constraints and triggers the last one."""
    lost = [fault for fault in world.faults if fault.kind == kind and not fault.name.startswith("everything")]
    if kind == "dropped":
        return lost
    return list({re.sub(r".* of |\.\w+$", "", fault.name): fault for fault in lost}.values())


@pytest.mark.parametrize("kind", catalog_faults.LOST)
def test_counts_are_exact_after_repair_schema(
    server: EmbeddedServer, databases: Databases, django_db_blocker, kind: str, subtests: pytest.Subtests
) -> None:
    with django_db_blocker.unblock():
        with world_of_its_own(server, databases) as world:
            faults, names = chosen(world, kind), {fault.name for fault in world.faults}
        for fault in faults:
            with subtests.test(fault.name), world_of_its_own(server, databases) as world:
                world.prepare()
                world.superuser.execute(fault.sql)
                world.write()
                call_command("repair", "schema", apply=True, stdout=StringIO())
                world.assert_exact()
                assert {fault.name for fault in catalog_faults.faults(world.superuser)} == names
