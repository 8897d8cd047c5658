"""One service: which revision serves, whether an instance runs, who waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import string
import time
from collections.abc import AsyncGenerator
from typing import Any

from twin.cloud_run.instance import Instance, InstanceError
from twin.cloud_run.revision import Revision, parse
from twin.paths import TwinPaths


class Service:
    """At most one instance, started by the first request and stopped when idle.

    A second revision cannot run beside the first, as both want the same port of one network: the
    old instance is stopped first, and started again by the next request should the new one fail.
    """

    def __init__(
        self, paths: TwinPaths, uri: str, idle_seconds: float, port_override: int | None
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
        self._instance: Instance | None = None
        self._changing = asyncio.Lock()
        self._places = asyncio.Semaphore(0)
        self._in_flight = 0
        self._watch: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None

    def restore(self, inputs: dict[str, Any], generation: int) -> None:
        """Take up a service that was deployed before this process started; nothing runs yet."""
        self.generation = generation - 1
        self._serve(inputs, self._next(inputs))

    async def deploy(self, inputs: dict[str, Any]) -> Revision:
        """Make a revision and check that an instance of it starts.

        Raises:
            InstanceError: it does not; what served before goes on serving.
        """
        revision = self._next(inputs)
        async with self._changing:
            await self._stop_instance()
            await self._start_instance(revision)
            self._serve(inputs, revision)
        self._rest()
        return revision

    async def remove(self) -> None:
        """Stop serving; returns when no process is left."""
        async with self._changing:
            self.revision = None
            await self._stop_instance()

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncGenerator[Revision]:
        """A place in a ready instance for one request.

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
                revision = self.revision
                if self._instance is None:
                    await self._start_instance(revision)
                places = self._places
            async with places:
                yield revision
        finally:
            self._in_flight -= 1
            self._rest()

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.inputs.get("name"),
            "uri": self.uri,
            "revision": self.revision.name if self.revision else None,
            "instances": [self._instance.as_json()] if self._instance else [],
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

    async def _start_instance(self, revision: Revision) -> None:
        instance = Instance(revision, self._paths)
        self._instance = instance
        try:
            await instance.start()
        except BaseException:
            self._instance = None
            raise
        self._places = asyncio.Semaphore(revision.concurrency)
        self._watch = asyncio.create_task(self._tear_down_when_a_container_ends(instance))

    async def _stop_instance(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._instance is not None:
            await self._instance.stop()
            self._instance = None

    async def _tear_down_when_a_container_ends(self, instance: Instance) -> None:
        name = await instance.ended()
        print(f"{instance.id}: container {name} ended; the instance is torn down", flush=True)
        async with self._changing:
            if self._instance is instance:
                self._watch = None
                await self._stop_instance()

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
                await self._stop_instance()
