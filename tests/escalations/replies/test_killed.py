"""Replies through a real gunicorn: whatever is killed, and while the gateway hangs. Longer: benchmarks.replies."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from django.conf import settings
from django.db import connections

from escalations.models import Reply
from tests.databases import Databases, django_uses
from tests.escalations.replies.conftest import session_of
from tests.escalations.replies.storm import Person, crowd, misbehaving, problems, rage, web_server
from tests.image import fill
from waops.dev.embedded.server import EmbeddedServer
from waops.dev.gateway import Gateway


def test_each_reply_arrives_exactly_once_whatever_is_killed(django_db_blocker, tmp_path) -> None:
    home = Path(tempfile.mkdtemp(prefix="waops-kill-"))
    server = EmbeddedServer(home, major=settings.EMBEDDED_POSTGRES_VERSION, binaries=settings.EMBEDDED_POSTGRES_BIN)
    fill(server)
    server.start()
    try:
        with django_db_blocker.unblock():
            name = Databases(server).create("migrated")
            with django_uses(server, name), Gateway(choose=misbehaving(Random(7), 0.15), seconds=0.05) as gateway:
                staff, escalations = crowd(people=5, escalations=150)
                cookies = [session_of(person) for person in staff]
                connections.close_all()
                with web_server(server, gateway, tmp_path / "static", tmp_path / "log") as web:
                    storm = rage(
                        server, gateway, cookies, escalations, web, web_kills=4, database_kills=2, pause=1, seed=3
                    )
                connections.close_all()
                assert list(problems(gateway, storm, escalations)) == []
                assert storm.told["unknown"] > 0
                assert sum(storm.kills.values()) >= 3
                # Neither the key nor what people write is in the log.
                log = (tmp_path / "log").read_text()
                assert gateway.key not in log
                assert f"reply {escalations[0].pk}" not in log
    finally:
        server.release()
        shutil.rmtree(home)


def test_a_gateway_that_hangs_leaves_pages_to_others(server, committed_database, tmp_path) -> None:
    """More people than threads wait for it, and everybody's pages still answer."""
    with Gateway(choose=lambda text: "swallow") as gateway:
        staff, escalations = crowd(people=24, escalations=24)
        cookies = [session_of(person) for person in staff]
        connections.close_all()
        with web_server(server, gateway, tmp_path / "static", tmp_path / "log", seconds=20) as (port, _):
            people = [Person(cookie, port, gateway) for cookie in cookies]
            with ThreadPoolExecutor(len(people)) as crowd_:
                said = list(crowd_.map(Person.press, people, escalations))
                news = list(crowd_.map(Person.look, people, escalations))
            assert (said, news) == (["sending"] * 24, ["soon"] * 24)
            assert Reply.objects.filter(state="sending").count() == 24
            gateway.stop()
