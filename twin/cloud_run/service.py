"""One service: which revision serves, whether an instance runs, who waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import string
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from twin.cloud_run.instance import Instance, InstanceError, Place
from twin.cloud_run.revision import Revision, parse
from twin.paths import TwinPaths


class Serving:
    """An instance with the requests that it works on."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.slots = asyncio.Semaphore(instance.revision.concurrency)
        self.requests = 0
        self.quiet = asyncio.Event()
        self.quiet.set()

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncGenerator[str]:
        """The address to ask; the instance is not stopped before the request has ended."""
        self.requests += 1
        self.quiet.clear()
        try:
            async with self.slots:
                yield self.instance.url
        finally:
            self.requests -= 1
            if self.requests == 0:
                self.quiet.set()


class Service:
    """At most one instance, started by the first request and stopped when idle.

    A new revision starts beside the old one, in another place; the old one finishes what it works
    on. With one place only, where there are no network namespaces, the old one is stopped first.
    """

    def __init__(
        self,
        paths: TwinPaths,
        uri: str,
        idle_seconds: float,
        port_override: int | None,
        places: Sequence[Place],
    ) -> None:
        self.uri = uri
        self.generation = 0
        self.inputs: dict[str, Any] = {}
        self.revision: Revision | None = None
        self.requests = 0
        self.last_request_at: float | None = None
        self._paths = paths
        self._idle_seconds = idle_seconds
        self._port_override = port_override
        self._one_place = len(places) == 1
        self._free: asyncio.Queue[Place] = asyncio.Queue()
        for place in places:
            self._free.put_nowait(place)
        self._current: Serving | None = None
        self._draining: dict[Serving, asyncio.Task[None]] = {}
        self._deploying = asyncio.Lock()
        self._changing = asyncio.Lock()
        self._in_flight = 0
        self._watches: dict[Serving, asyncio.Task[None]] = {}
        self._idle: asyncio.TimerHandle | None = None

    def restore(self, inputs: dict[str, Any], generation: int) -> None:
        """Take up a service that was deployed before this process started; nothing runs yet."""
        self.generation = generation - 1
        self._serve(inputs, self._next(inputs))

    async def deploy(self, inputs: dict[str, Any]) -> Revision:
        """Make a revision, check that an instance of it starts, and let the old one finish.

        Raises:
            InstanceError: it does not start; what served before goes on serving.
        """
        revision = self._next(inputs)
        async with self._deploying:
            if self._one_place:
                async with self._changing:
                    await self._stop_current()
                    self._take_over(await self._start(revision), inputs)
            else:
                started = await self._start(revision)
                async with self._changing:
                    self._take_over(started, inputs)
        self._rest()
        return revision

    async def remove(self) -> None:
        """Stop serving; returns when no process is left."""
        async with self._changing:
            self.revision = None
            await self._stop_current()
        for serving, drain in list(self._draining.items()):
            drain.cancel()
            await self._stop(serving)
        self._draining.clear()

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncGenerator[str]:
        """A place in a ready instance for one request; its address.

        Raises:
            InstanceError: no instance could be started.
        """
        self.requests += 1
        self.last_request_at = time.time()
        if self._idle is not None:
            self._idle.cancel()
        self._in_flight += 1
        try:
            async with self._changing:
                if self.revision is None:
                    raise InstanceError("the service is being deleted")
                if self._current is None:
                    self._current = await self._start(self.revision)
                serving = self._current
            async with serving.slot() as url:
                yield url
        finally:
            self._in_flight -= 1
            self._rest()

    def as_json(self) -> dict[str, Any]:
        serving = [*([self._current] if self._current else []), *self._draining]
        return {
            "name": self.inputs.get("name"),
            "uri": self.uri,
            "revision": self.revision.name if self.revision else None,
            "instances": [one.instance.as_json() for one in serving],
            "lastRequestAt": self.last_request_at,
            "requests": self.requests,
        }

    def _next(self, inputs: dict[str, Any]) -> Revision:
        suffix = "".join(secrets.choice(string.ascii_lowercase) for _ in range(3))
        name = f"{inputs['name']}-{self.generation + 1:05}-{suffix}"
        return parse(inputs, name, self._port_override)

    def _serve(self, inputs: dict[str, Any], revision: Revision) -> None:
        self.inputs, self.revision = inputs, revision
        self.generation += 1

    def _take_over(self, started: Serving, inputs: dict[str, Any]) -> None:
        old, self._current = self._current, started
        self._serve(inputs, started.instance.revision)
        if old is not None:
            self._draining[old] = asyncio.create_task(self._drain(old))

    async def _start(self, revision: Revision) -> Serving:
        place = await self._free.get()
        instance = Instance(revision, self._paths, place)
        try:
            await instance.start()
        except BaseException:
            self._free.put_nowait(place)
            raise
        serving = Serving(instance)
        self._watches[serving] = asyncio.create_task(self._tear_down_when_one_ends(serving))
        return serving

    async def _stop(self, serving: Serving) -> None:
        if (watch := self._watches.pop(serving, None)) is not None:
            watch.cancel()
        await serving.instance.stop()
        self._free.put_nowait(serving.instance.place)

    async def _stop_current(self) -> None:
        if self._current is not None:
            await self._stop(self._current)
            self._current = None

    async def _drain(self, serving: Serving) -> None:
        serving.instance.state = "draining"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(serving.instance.revision.timeout_seconds):
                await serving.quiet.wait()
        await self._stop(serving)
        del self._draining[serving]

    async def _tear_down_when_one_ends(self, serving: Serving) -> None:
        name = await serving.instance.ended()
        print(f"{serving.instance.id}: container {name} ended; it is torn down", flush=True)
        async with self._changing:
            if self._current is serving:
                del self._watches[serving]  # this task; it need not be cancelled
                await self._stop_current()

    def _rest(self) -> None:
        """Count down to zero from the moment nothing is asked."""
        if self._idle is not None:
            self._idle.cancel()
        if self._in_flight == 0:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(
                self._idle_seconds, lambda: loop.create_task(self._scale_to_zero())
            )

    async def _scale_to_zero(self) -> None:
        async with self._changing:
            if self._in_flight == 0:
                await self._stop_current()
