"""A line to a port of this machine that a test can break."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self


class Line:
    """Open for as long as the block lasts, but for what the test does to it."""

    port: int
    """Where its clients connect."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._carrying = asyncio.Event()
        self._carrying.set()
        self._refusing = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Every connection ends, and none can be made."""
        self._refusing = True
        self._call(self._abort)

    def silence(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self._call(self._carrying.clear)

    def mend(self) -> None:
        self._refusing = False
        self._call(self._carrying.set)

    def _call(self, change: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(change)

    def _abort(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def _serve(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        self._abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        if self._refusing:
            to_client.transport.abort()
            return
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
        ends = {to_client, to_server}
        self._ends |= ends
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(
                self._carry(from_client, to_server), self._carry(from_server, to_client)
            )
        for end in ends:
            end.transport.abort()
        self._ends -= ends

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(65_536):
            await self._carrying.wait()
            sink.write(piece)
            await sink.drain()
        sink.write_eof()
