"""How long each operations page takes on the database that DATABASE_URL names: median and worst of some requests.

    DATABASE_URL=… python -m benchmarks.operations_pages [requests]

Meant for a database of production's size: ten million messages, thousands of other tables. Only reads; the operator it
logs in as is made and removed in one transaction.
"""

import os
import statistics
import sys
import time

import django
from django.db import transaction
from rich.console import Console
from rich.table import Table

REQUESTS = 5


def main(requests: int) -> None:
    from django.contrib.auth.models import Group
    from django.test import Client
    from django.urls import reverse

    from waops.admin.operations import address_of
    from waops.models import User
    from waops.operate.pages import PAGES
    from waops.permissions import OPERATORS

    client = Client(headers={"host": "localhost"})
    operator = User.objects.create_user("benchmark of the pages", is_staff=True)
    operator.groups.add(Group.objects.get(name=OPERATORS))
    client.force_login(operator)
    addresses = [address_of(page) for page in PAGES]
    addresses += [f"{reverse(f'admin:waops_operations_{name}')}?tables=all" for name in ("indexes", "tables")]
    addresses.append(reverse("admin:waops_operations_report"))
    table = Table("page", "status", "median, ms", "worst, ms", "KB")
    for address in addresses:
        times = []
        for _number in range(requests):
            begin = time.perf_counter()
            response = client.get(address, secure=True)
            times.append(1000 * (time.perf_counter() - begin))
        size = f"{len(response.content) / 1024:.0f}"
        table.add_row(address, str(response.status_code), f"{statistics.median(times):.0f}", f"{max(times):.0f}", size)
    Console().print(table)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waops.settings")
    django.setup()
    with transaction.atomic():
        main(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS)
        transaction.set_rollback(True)
