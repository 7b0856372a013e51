"""Staff who reply while web processes and the database are killed and the gateway misbehaves.

Each person does what the page does: repeats a form with its key when an answer was lost, asks what became of it, sends
again what failed, and of what is unknown looks into "WhatsApp" (what the gateway delivered) and decides.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.db import connection

from conversations.models import Message
from escalations.models import Escalation, Reply
from tests import factories, wording
from tests.escalations.conftest import address
from tests.http import CSRF
from tests.programs import free_port, wait_until
from waops.dev.embedded.server import OWNER, EmbeddedServer
from waops.dev.gateway import BEHAVIOURS, Gateway
from waops.models import User

TIMEOUT = 1.0
"""EVOLUTION_API_TIMEOUT of the web processes."""
PATIENCE = 120
"""Seconds in which one reply must come to its end."""


@dataclass
class Person:
    """`told` is how often the app answered what; `sent` are the texts of which it said that they were sent."""

    cookie: str
    port: int
    gateway: Gateway
    told: Counter[str] = field(default_factory=Counter)
    sent: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Seconds from pressing Send to "sent", of each."""

    def reply(self, escalation: Escalation, text: str) -> None:
        fields = {"text": text, "key": str(uuid.uuid4())}
        begun = time.monotonic()
        give_up = begun + PATIENCE
        while True:
            assert time.monotonic() < give_up, (text, self.told, fields)
            answer = self._ask("POST", address(escalation, "reply"), fields)
            if answer is None or answer["state"] == "sending":
                answer = self._outcome(escalation, fields["key"])
            state = answer["state"] or "not begun"
            self.told[state] += 1
            if state in ("sent", "arrived") or wording.THAT_REPLY_ARRIVED in answer.get("words", ""):
                self.sent.append(text)
                self.waits.append(time.monotonic() - begun)
                return
            if state == "failed":
                time.sleep(0.05)
                fields = {"text": text, "key": str(uuid.uuid4()), "again": str(answer["reply"])}
            elif state == "unknown":
                if text in {one.text for one in list(self.gateway.delivered)}:
                    self._ask("POST", f"{address(escalation, 'replies')}{answer['reply']}/", {"arrived": "1"})
                else:
                    fields = {"text": text, "key": str(uuid.uuid4()), "again": str(answer["reply"])}
            elif state == "refused":
                self.told[answer["words"]] += 1
                time.sleep(0.2)

    def _outcome(self, escalation: Escalation, key: str) -> dict[str, Any]:
        while True:
            answer = self._ask("GET", f"{address(escalation, 'replies')}?key={key}")
            if answer is not None and answer["state"] != "sending":
                return answer
            time.sleep(0.1)

    def press(self, escalation: Escalation) -> str:
        """Send once; what the app says at first."""
        answer = self._ask("POST", address(escalation, "reply"), {"text": "Hello", "key": str(uuid.uuid4())})
        return str(answer and answer["state"])

    def look(self, escalation: Escalation) -> str:
        """As the page asks while something is being sent."""
        answer = self._ask("GET", address(escalation, "replies"))
        return str(answer and answer["news"])

    def _ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> dict[str, Any] | None:
        """None where the answer was lost, or says that the database is away."""
        body = urlencode({"csrfmiddlewaretoken": CSRF, **fields}) if fields is not None else None
        headers = {
            "Host": "desk.example.com",
            "X-Forwarded-Proto": "https",
            "Referer": "https://desk.example.com/",
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={self.cookie}; {settings.CSRF_COOKIE_NAME}={CSRF}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            web.request(method, path, body, headers)
            answer = web.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.told["lost"] += 1
            time.sleep(0.1)
            return None
        finally:
            web.close()
        if answer.status >= 500:
            self.told[f"{answer.status}"] += 1
            time.sleep(0.1)
            return None
        assert answer.status == 200, (answer.status, path, content[:500])
        result: dict[str, Any] = json.loads(content)
        return result


@contextmanager
def web_server(
    server: EmbeddedServer, gateway: Gateway, static: Path, log: Path, seconds: float = TIMEOUT
) -> Iterator[tuple[int, int]]:
    """Port and process id of a gunicorn with two workers on Django's database, as in production.

    `seconds` is its EVOLUTION_API_TIMEOUT.
    """
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(settings.BASE_DIR),
        "SECRET_KEY": settings.SECRET_KEY,  # it signs the sessions
        "DEBUG": "false",
        "DATABASE_URL": f"postgresql://{OWNER}@/{server.socket_dir}/{connection.settings_dict['NAME']}",
        "ALLOWED_HOSTS": "desk.example.com",
        "CSRF_TRUSTED_ORIGINS": "https://desk.example.com",
        "BEHIND_TLS_PROXY": "true",
        "TRUSTED_PROXIES": "1",
        "STATIC_ROOT": str(static),
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
        "EVOLUTION_API_URL": gateway.url,
        "EVOLUTION_API_KEY": gateway.key,
        "EVOLUTION_API_TIMEOUT": str(seconds),
    }
    manage = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(manage, cwd=settings.BASE_DIR, env=environment, check=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn"], cwd=settings.BASE_DIR, env=environment, stderr=output, stdout=output
        )
    try:
        wait_until(lambda: b"Listening at" in log.read_bytes() and len(children(process.pid)) == 2)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(60)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_worker(master: int, random: Random) -> None:
    if workers := children(master):
        with suppress(ProcessLookupError):
            os.kill(random.choice(workers), signal.SIGKILL)


def kill_database(server: EmbeddedServer) -> None:
    """All of its processes, the first one first; and start it again."""
    with psycopg.connect(server.dsn()) as session:
        rows = session.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").fetchall()
    pids = [int((server.data_dir / "postmaster.pid").read_text().split()[0]), *(pid for (pid,) in rows)]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.release()
    server.start()


@dataclass(frozen=True)
class Storm:
    """What came of it."""

    told: Counter[str]
    sent: list[str]
    kills: Counter[str]
    seconds: float
    waits: list[float]


def misbehaving(random: Random, share: float) -> Callable[[str], str]:
    """A behaviour for each message that arrives: that share of them a bad one."""
    return lambda text: random.choice(list(BEHAVIOURS)) if random.random() < share else ""


def rage(
    server: EmbeddedServer,
    gateway: Gateway,
    cookies: list[str],
    escalations: list[Escalation],
    web: tuple[int, int],
    *,
    web_kills: int,
    database_kills: int,
    pause: float,
    seed: int = 1,
    tell: Callable[[int], None] = lambda done: None,
) -> Storm:
    """Everybody replies to their share of the escalations, while processes are killed one after the other."""
    port, master = web
    people = [Person(cookie, port, gateway) for cookie in cookies]
    kills: Counter[str] = Counter()
    random, over = Random(seed), Flag()

    def kill() -> None:
        plan = [*["web"] * web_kills, *["database"] * database_kills]
        random.shuffle(plan)
        for what in plan:
            if over.wait(pause * random.uniform(0.5, 1.5)):
                return
            if what == "web":
                kill_worker(master, random)
            else:
                kill_database(server)
            kills[what] += 1

    def work(number: int) -> None:
        for place, escalation in enumerate(escalations[number :: len(people)]):
            people[number].reply(escalation, f"reply {escalation.pk}")
            tell(place)

    begun = time.monotonic()
    killer = Thread(target=kill)
    killer.start()
    try:
        with ThreadPoolExecutor(len(people)) as crowd:
            list(crowd.map(work, range(len(people))))
    finally:
        over.set()
        killer.join()
    told = sum((person.told for person in people), Counter())
    return Storm(
        told,
        [text for person in people for text in person.sent],
        kills,
        time.monotonic() - begun,
        sorted(wait for person in people for wait in person.waits),
    )


def problems(gateway: Gateway, storm: Storm, escalations: list[Escalation]) -> Iterator[str]:
    """Sent twice, lost without a word, acknowledged and not in the conversation, or not explained by a row."""
    delivered = Counter(one.text for one in gateway.delivered)
    stored = Counter(Message.objects.filter(message_id__startswith="human_").values_list("content", flat=True))
    rows: dict[str, list[str]] = {}
    for text, outcome in Reply.objects.with_outcome().values_list("text", "outcome"):
        rows.setdefault(text, []).append(outcome)
    for escalation in escalations:
        text = f"reply {escalation.pk}"
        states = rows.get(text, [])
        found = (delivered[text], stored[text], sum(state in ("sent", "arrived") for state in states))
        if found != (1, 1, 1) or text not in storm.sent:
            yield f"{text}: delivered, stored, sent rows {found}; rows {states}; told {text in storm.sent}"
        if set(states) & {"sending", "unknown"}:
            yield f"{text}: {states}"
    if extra := sum(delivered.values()) - len(escalations):
        yield f"{extra} messages too many"


def crowd(people: int, escalations: int) -> tuple[list[User], list[Escalation]]:
    staff = [factories.staff("Support") for _ in range(people)]
    number = factories.instance()
    chats = [factories.conversation(number) for _ in range(escalations)]
    return staff, [factories.escalation(chat) for chat in chats]
