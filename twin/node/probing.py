"""A container's probes as the kubelet runs them: what follows from each, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from twin.containers.container import Container
from twin.containers.probes import Probe, failure
from twin.node.pod_network import Place
from twin.node.spec import Probes
from twin.node.status import ContainerState

Publish = Callable[[], Awaitable[None]]
Tell = Callable[[str, str, str], Awaitable[None]]
"""Event type, reason, message."""


class Ticks:
    """Of a clock: the kubelet's periods are from begin to begin, however long a probe takes.

    Go's `time.Ticker`, by which its workers probe: one tick waits for who is late, no more.
    https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/prober/worker.go
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = self._now() + seconds

    async def next(self) -> None:
        """Return at the next tick, or at once if one has passed since the last."""
        late = self._now() - self._next
        if late < 0:
            await asyncio.sleep(-late)
            late = 0
        self._next += self._seconds * (1 + late // self._seconds)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class Probing:
    """Of one run of a container."""

    def __init__(
        self,
        container: Container,
        state: ContainerState,
        place: Place,
        *,
        publish: Publish,
        tell: Tell,
    ) -> None:
        self._container, self._state, self._place = container, state, place
        self._publish, self._tell = publish, tell
        self._told: set[str] = set()

    async def run(self, checks: Probes, grace_seconds: float) -> None:
        """Until the container is to be started again because of a probe; else for ever."""
        if checks.startup is not None and not await self._starts(checks.startup):
            await self._kill("startup", grace_seconds)
            return
        self._state.started = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_ready(checks.readiness))
            if checks.liveness is not None:
                group.create_task(self._keep_alive(checks.liveness, grace_seconds))

    async def _starts(self, probe: Probe) -> bool:
        await asyncio.sleep(probe.initial_delay_seconds)
        ticks = Ticks(probe.period_seconds)
        for attempt in range(probe.failure_threshold):
            if attempt:
                await ticks.next()
            if await self._passes("Startup", probe):
                return True
        return False

    async def _keep_ready(self, probe: Probe | None) -> None:
        self._state.ready = probe is None
        await self._publish()
        if probe is None:
            return
        good = bad = 0
        await asyncio.sleep(probe.initial_delay_seconds)
        ticks = Ticks(probe.period_seconds)
        while True:
            if await self._passes("Readiness", probe):
                good, bad = good + 1, 0
            else:
                good, bad = 0, bad + 1
            ready = good >= probe.success_threshold or (
                self._state.ready and bad < probe.failure_threshold
            )
            if ready != self._state.ready:
                self._state.ready = ready
                await self._publish()
            await ticks.next()

    async def _keep_alive(self, probe: Probe, grace_seconds: float) -> None:
        bad = 0
        await asyncio.sleep(probe.initial_delay_seconds)
        ticks = Ticks(probe.period_seconds)
        while bad < probe.failure_threshold:
            await ticks.next()
            bad = 0 if await self._passes("Liveness", probe) else bad + 1
        await self._kill("liveness", grace_seconds)

    async def _passes(self, kind: str, probe: Probe) -> bool:
        inside = self._container
        why = await failure(probe, self._place.ip, env=inside.environment, enter=inside.enter)
        # The kubelet's events of the same words are one event with a count.
        if why is not None and (said := f"{kind} probe failed: {why}") not in self._told:
            self._told.add(said)
            await self._tell("Warning", "Unhealthy", said)
        return why is None

    async def _kill(self, kind: str, grace_seconds: float) -> None:
        message = f"Container {self._container.spec.name} failed {kind} probe, will be restarted"
        await self._tell("Normal", "Killing", message)
        await self._container.stop(grace_seconds)
