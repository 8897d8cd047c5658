"""One connection to the service for all sessions of this process, on an event loop of its own.

The loop is what makes *Stop* work: a task that waits for the first byte can be cancelled, a thread
that does cannot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

import httpx2

from app.client.asynchronous import AsyncClient
from app.client.connection import Connection
from app.client.page.health import Health, looked_at
from app.client.served import KNOWN_SECONDS, ServedModel

T = TypeVar("T")


class Service:
    """Started once; lives as long as the process."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.client = AsyncClient(connection)
        self.health: Health | None = None
        self._looking: Future[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="service", daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Cancelling the future cancels the work where it stands."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def look(self) -> None:
        """Look along the path, unless somebody's look is still under way."""
        if self._looking is None or self._looking.done():
            self._looking = self.start(self._look())

    def close(self) -> None:
        """Stop what is under way, and the loop."""
        self.start(self._close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def served(self) -> ServedModel:
        """As a look has just seen it, or looked up: the model at home may have been changed."""
        seen = self.health
        if seen is not None and seen.served:
            asked_at = seen.at - seen.seconds
            if time.monotonic() - asked_at <= KNOWN_SECONDS:
                return seen.served
        return await self.client.served()

    async def _look(self) -> None:
        async with httpx2.AsyncClient(timeout=20) as http:
            self.health = await looked_at(self.connection, http)

    async def _close(self) -> None:
        if self._looking is not None:  # ends by itself, and soon
            await asyncio.wrap_future(self._looking)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.client.__aexit__()
