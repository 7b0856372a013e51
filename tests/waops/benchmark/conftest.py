"""Benchmark runs that end after a few passes instead of seconds."""

from typing import Any

import pytest

from waops.dev.benchmark.pgbench import Pgbench, Run

PASSES = 50


@pytest.fixture
def few_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Pgbench.run

    def short(self: Pgbench, path: Any, kind: Any, *, seconds: int | None = None, **options: Any) -> Run:
        return run(self, path, kind, **({"passes": PASSES} if seconds else {}) | options)

    monkeypatch.setattr(Pgbench, "run", short)
