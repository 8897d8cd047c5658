"""One service: which revision serves, whether an instance runs, who waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import string
import time
from collections.abc import Sequence
from typing import Any

from twin.cloud_run.front import Front
from twin.cloud_run.instance import Instance, InstanceError, Place
from twin.cloud_run.revision import Revision, parse

LOG = logging.getLogger("twin.cloud_run")
LOOK_SECONDS = 0.5
"""Between two looks at what an instance works on: Caddy tells it, but only when it is asked."""
HANDOVER_SECONDS = 0.1
"""More than Caddy takes between reading an instance's address and counting the request there."""


class Service:
    """At most one instance, started by the first request and stopped when idle.

    A new revision starts beside the old one, in another place; the old one finishes what it works
    on. With one place only, where there are no network namespaces, the old one is stopped first.
    """

    def __init__(
        self,
        front: Front,
        uri: str,
        idle_seconds: float,
        port_override: int | None,
        places: Sequence[Place],
    ) -> None:
        self.uri = uri
        self.generation = 0
        self.inputs: dict[str, Any] = {}
        self.revision: Revision | None = None
        self._idle_seconds = idle_seconds
        self._port_override = port_override
        self._one_place = len(places) == 1
        self._free: asyncio.Queue[Place] = asyncio.Queue()
        for place in places:
            self._free.put_nowait(place)
        self._front = front
        self._current: Instance | None = None
        self._draining: dict[Instance, asyncio.Task[None]] = {}
        self._deploying = asyncio.Lock()
        self._changing = asyncio.Lock()
        self._watches: dict[Instance, list[asyncio.Task[None]]] = {}

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
                    await self._take_over(await self._start(revision), inputs)
            else:
                started = await self._start(revision)
                async with self._changing:
                    await self._take_over(started, inputs)
        return revision

    async def remove(self) -> None:
        """Stop serving; returns when no process is left."""
        async with self._changing:
            self.revision = None
            await self._stop_current()
        for instance, drain in list(self._draining.items()):
            drain.cancel()
            await self._stop(instance)
        self._draining.clear()

    async def ready(self) -> None:
        """Return when an instance is ready and the front sends requests to it.

        Raises:
            InstanceError: no instance could be started.
        """
        async with self._changing:
            if self.revision is None:
                raise InstanceError("the service is being deleted")
            if self._current is None:
                await self._send_to(await self._start(self.revision))

    def as_json(self) -> dict[str, Any]:
        instances = [*([self._current] if self._current else []), *self._draining]
        return {
            "name": self.inputs.get("name"),
            "uri": self.uri,
            "revision": self.revision.name if self.revision else None,
            "instances": [instance.as_json() for instance in instances],
        }

    def _next(self, inputs: dict[str, Any]) -> Revision:
        suffix = "".join(secrets.choice(string.ascii_lowercase) for _ in range(3))
        name = f"{inputs['name']}-{self.generation + 1:05}-{suffix}"
        return parse(inputs, name, self._port_override)

    def _serve(self, inputs: dict[str, Any], revision: Revision) -> None:
        self.inputs, self.revision = inputs, revision
        self.generation += 1

    async def _take_over(self, started: Instance, inputs: dict[str, Any]) -> None:
        old = self._current
        await self._send_to(started)
        self._serve(inputs, started.revision)
        if old is not None:
            self._cancel_watches(old)
            self._draining[old] = asyncio.create_task(self._drain(old))

    async def _send_to(self, instance: Instance) -> None:
        await self._front.limit(instance.revision.timeout_seconds, instance.revision.concurrency)
        self._current = instance
        self._front.send_to(instance.address)
        self._watches[instance] = [
            asyncio.create_task(self._tear_down_when_one_ends(instance)),
            asyncio.create_task(self._stop_when_idle(instance)),
        ]

    async def _start(self, revision: Revision) -> Instance:
        place = await self._free.get()
        instance = Instance(revision, self._front.paths, place)
        try:
            await instance.start()
        except BaseException:
            self._free.put_nowait(place)
            raise
        return instance

    def _cancel_watches(self, instance: Instance) -> None:
        """All but the one that asks for it."""
        for watch in self._watches.pop(instance, []):
            if watch is not asyncio.current_task():
                watch.cancel()

    async def _stop(self, instance: Instance) -> None:
        self._cancel_watches(instance)
        await instance.stop()
        self._free.put_nowait(instance.place)

    async def _stop_current(self) -> None:
        self._front.send_to("")
        if self._current is not None:
            await self._stop(self._current)
            self._current = None

    async def _drain(self, instance: Instance) -> None:
        instance.state = "draining"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(instance.revision.timeout_seconds):
                await asyncio.sleep(HANDOVER_SECONDS)
                while await self._front.requests_at(instance.address):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)
        await self._stop(instance)
        del self._draining[instance]

    async def _tear_down_when_one_ends(self, instance: Instance) -> None:
        name = await instance.ended()
        LOG.warning("%s: container %s ended; it is torn down", instance.id, name)
        async with self._changing:
            if self._current is instance:
                await self._stop_current()

    async def _stop_when_idle(self, instance: Instance) -> None:
        """Count down to zero from the end of the last request."""
        last = time.time()
        while True:
            last = max(last, self._front.last_answer_at())
            if (rest := last + self._idle_seconds - time.time()) > 0:
                await asyncio.sleep(rest)
            elif await self._front.requests_at(instance.address):
                await asyncio.sleep(min(LOOK_SECONDS, self._idle_seconds))
                last = time.time()
            else:
                async with self._changing:
                    self._front.send_to("")
                    await asyncio.sleep(HANDOVER_SECONDS)
                    if not await self._front.requests_at(instance.address):
                        await self._stop_current()
                        return
                    self._front.send_to(instance.address)
