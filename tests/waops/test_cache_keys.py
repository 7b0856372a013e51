"""Which processes share cached values: those of the same code on the same database."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from waops.database import kept
from waops.database.url import database_settings
from waops.serving.cache_url import cache_settings


@pytest.fixture
def key_with(monkeypatch: pytest.MonkeyPatch) -> Any:
    def key(url: str) -> str:
        config = database_settings(url, pool_mode="transaction", pool_size=0, search_path=("waops",))
        monkeypatch.setitem(connections.settings, "default", config)
        return kept.cache_key("live-tables", "", 1)

    return key


def test_two_supabase_projects_on_one_redis_share_no_key(key_with) -> None:
    pooler = "aws-0-eu-central-1.pooler.supabase.com:6543/postgres"
    urls = [
        f"postgresql://postgres.abcdefgh:secret@{pooler}",
        f"postgresql://postgres.ijklmnop:secret@{pooler}",
        "postgresql://postgres:secret@db.abcdefgh.supabase.co:5432/postgres",
        "postgresql://postgres:secret@db.ijklmnop.supabase.co:5432/postgres",
        "postgresql://postgres@/postgres?host=/run/one",
        "postgresql://postgres@/postgres?host=/run/two",
    ]
    assert len({key_with(url) for url in urls}) == len(urls)


def test_a_new_password_of_the_database_keeps_the_keys(key_with) -> None:
    one, two = (key_with(f"postgresql://postgres:{word}@db.example.com/postgres") for word in ("old", "new"))
    assert one == two
    assert "old" not in one


def test_other_code_reads_other_keys(tmp_path: Path, settings) -> None:
    versions = set()
    for body in ("class Kept: pass", "class Kept: changed = True"):
        (tmp_path / "escalations").mkdir(exist_ok=True)
        (tmp_path / "escalations" / "choices.py").write_text(body)
        settings.BASE_DIR = tmp_path
        versions.add(kept._code.__wrapped__())
    assert len(versions) == 2


@pytest.mark.parametrize("url", ["locmemcache://", "rediscache://127.0.0.1:6379/0"])
def test_every_cache_makes_its_keys_so(url: str) -> None:
    assert cache_settings(url)["KEY_FUNCTION"] == "waops.database.kept.cache_key"
