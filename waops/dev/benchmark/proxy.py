"""Simulate network delay on this machine with a proxy that delays what the client sends. Needs no privileges."""

import asyncio
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

PATIENCE = 5.0
"""Seconds that connections may take to end after their clients."""


class DelayingProxy:
    """Listens on 127.0.0.1 for the duration of the block; `dsn` goes through it. `delay`: seconds per round trip."""

    def __init__(self, dsn: str, delay: float) -> None:
        target = conninfo_to_dict(dsn)
        self._host, self._port = str(target.get("host") or "localhost"), int(target.get("port") or 5432)
        self._target = dsn
        self._delay = delay
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.dsn = ""

    def __enter__(self) -> Self:
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop
        ).result()
        self._server = server
        port = server.sockets[0].getsockname()[1]
        self.dsn = make_conninfo(
            self._target, host="127.0.0.1", hostaddr="127.0.0.1", port=port, sslmode="disable", gssencmode="disable"
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if others:
            await asyncio.wait(others, timeout=PATIENCE)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self._host.startswith("/"):
            server, to_server = await asyncio.open_unix_connection(Path(self._host) / f".s.PGSQL.{self._port}")
        else:
            server, to_server = await asyncio.open_connection(self._host, self._port)
        try:
            await asyncio.gather(self._pass_on(client, to_server, self._delay), self._pass_on(server, to_client, 0))
        finally:
            to_server.close()
            to_client.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
        try:
            while data := await reader.read(65_536):
                if delay:
                    self._loop.call_later(delay, writer.write, data)
                else:
                    writer.write(data)
        except ConnectionError:
            pass
        finally:
            self._loop.call_later(delay, writer.close)
