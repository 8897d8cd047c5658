"""One pod from its first container to its last: start, probes, restarts, the way out."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2

from twin.containers.container import Container, ContainerSpec
from twin.containers.images import UnknownImageError, is_known
from twin.node.pod_network import NoNetworkError, Place, PodNetwork
from twin.node.probing import Probing, Tell
from twin.node.spec import PodConfigError, environment, expand, probes, read_only, volume
from twin.node.status import Addresses, Containers, ContainerState, Ended, differs, now, pod_status
from twin.paths import TwinPaths

FIRST_BACKOFF_SECONDS = 10
"""Before the second restart; the first follows at once."""
LONGEST_BACKOFF_SECONDS = 300
"""Both are the kubelet's, which forgets earlier ends after a run of twice the longest."""
RETRY_CONFIG_SECONDS = 2

Report = Callable[[Mapping[str, Any]], Awaitable[None]]
Lookup = Callable[[str, str], Awaitable[Mapping[str, Any] | None]]


class Pod:
    """A pod of this node.

    ``lookup`` finds what it refers to, ``deliver`` writes its status, ``tell`` its events: all
    three ask the API server.
    """

    def __init__(  # noqa: PLR0913  # what it runs, where, and its three ways to the API server
        self,
        object_: Mapping[str, Any],
        paths: TwinPaths,
        host_ip: str,
        network: PodNetwork,
        *,
        lookup: Lookup,
        deliver: Report,
        tell: Tell,
    ) -> None:
        self.object = object_
        self.uid: str = object_["metadata"]["uid"]
        self._paths = paths
        self._host_ip, self._network = host_ip, network
        self._place: Place | None = None
        self._lookup, self._deliver, self._tell = lookup, deliver, tell
        self._folder = paths.pods / self.uid
        before = {s["name"]: s for s in object_["status"].get("containerStatuses", [])}
        spec = object_["spec"]
        init = spec.get("initContainers", [])
        self._states = {
            c["name"]: ContainerState(
                name=c["name"],
                image=c["image"],
                waiting=("PodInitializing" if init else "ContainerCreating", ""),
                # A pod that ran before the node went down has been restarted by coming back.
                restarts=before[c["name"]]["restartCount"] + 1 if c["name"] in before else 0,
            )
            for c in spec["containers"]
        }
        self._init_states = {
            c["name"]: ContainerState(name=c["name"], image=c["image"]) for c in init
        }
        self._running: dict[str, Container] = {}
        self._status: Mapping[str, Any] = object_["status"]
        self._task: asyncio.Task[None] | None = None
        self._leaving = False

    def begin(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def see(self, object_: Mapping[str, Any]) -> None:
        """Tell the status again if the API server has another one.

        It was away when it was told, or it gave the node up for a while, as after a suspended
        machine, and took the pod's readiness away.
        """
        self.object = object_
        if not self._leaving and differs(object_["status"], self._status):
            await self._deliver(self._status)

    async def end(self) -> None:
        """preStop, SIGTERM, grace, SIGKILL, for all containers at once."""
        self._leaving = True
        spec = self.object["spec"]
        grace = self.object["metadata"].get("deletionGracePeriodSeconds")
        if grace is None:
            grace = spec.get("terminationGracePeriodSeconds", 30)
        hooks = {c["name"]: c.get("lifecycle", {}).get("preStop", {}) for c in spec["containers"]}
        await asyncio.gather(
            *(self._stop(c, hooks.get(n, {}), grace) for n, c in self._running.items())
        )
        await self._leave()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def power_off(self) -> None:
        """Stop the processes quickly, as a node that shuts down does."""
        self._leaving = True
        await asyncio.gather(*(c.stop(5) for c in self._running.values()))
        await self._leave()

    async def _leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})  # whatever became of it, the pod must go
        if self._place is not None:
            await self._place.leave()

    async def _stop(self, container: Container, hook: Mapping[str, Any], grace: int) -> None:
        if container.exit_code is not None:
            return
        await self._tell("Normal", "Killing", f"Stopping container {container.spec.name}")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        if "sleep" in hook:
            await asyncio.sleep(min(hook["sleep"]["seconds"], grace))
        await container.stop(max(deadline - loop.time(), 1))

    async def _run(self) -> None:
        # Its secrets are not everybody's.
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._place = await self._join()
        await self._publish()
        for container in self.object["spec"].get("initContainers", []):
            await self._initialize(container)
        async with asyncio.TaskGroup() as group:
            for container in self.object["spec"]["containers"]:
                group.create_task(self._keep_running(container))

    async def _join(self) -> Place:
        """Get an address, or say why there is none and try again until there is."""
        while True:
            try:
                return await self._network.join(self.object)
            except NoNetworkError as error:
                await self._tell("Warning", "FailedCreatePodSandBox", str(error))
                await asyncio.sleep(RETRY_CONFIG_SECONDS)

    @property
    def _at(self) -> Place:
        assert self._place is not None  # noqa: S101  # nothing of a pod runs before it has a place
        return self._place

    async def _initialize(self, raw: Mapping[str, Any]) -> None:
        state = self._init_states[raw["name"]]
        while True:
            container = await self._begin(raw, state)
            ended = Ended(await container.wait(), state.started_at, now())
            state.ready = ended.code == 0
            if state.ready:
                state.ended = ended
                del self._running[raw["name"]]
                await self._publish()
                return
            state.last_run = ended
            state.restarts += 1
            await asyncio.sleep(FIRST_BACKOFF_SECONDS)

    async def _keep_running(self, raw: Mapping[str, Any]) -> None:
        state, backoff = self._states[raw["name"]], 0
        while not self._leaving:
            container = await self._begin(raw, state)
            code = await self._watch(container, raw, state)
            if self._leaving:
                return
            state.started = state.ready = False
            ended = Ended(code, state.started_at, now())
            if not self._starts_again(code):
                state.ended = ended
                await self._publish()
                return
            state.last_run = ended
            if time.time() - container.started_at > 2 * LONGEST_BACKOFF_SECONDS:
                backoff = 0
            if backoff:
                await self._back_off(state, backoff)
            backoff = min(2 * backoff or FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS)
            self.log(raw["name"]).replace(self.log(raw["name"], previous=True))
            state.restarts += 1

    def _starts_again(self, code: int) -> bool:
        policy = self.object["spec"].get("restartPolicy", "Always")
        return policy == "Always" or (policy == "OnFailure" and code != 0)

    async def _back_off(self, state: ContainerState, seconds: int) -> None:
        metadata = self.object["metadata"]
        pod = f"{metadata['name']}_{metadata['namespace']}({self.uid})"
        minutes, rest = divmod(seconds, 60)
        shown = f"{minutes}m{rest}s" if minutes else f"{seconds}s"
        state.waiting = (
            "CrashLoopBackOff",
            f"back-off {shown} restarting failed container={state.name} pod={pod}",
        )
        message = f"Back-off restarting failed container {state.name} in pod {pod}"
        await self._tell("Warning", "BackOff", message)
        await self._publish()
        await asyncio.sleep(seconds)

    async def _begin(self, raw: Mapping[str, Any], state: ContainerState) -> Container:
        container = await self._start(raw, state)
        self._running[raw["name"]] = container
        state.waiting, state.started_at = None, now()
        await self._publish()
        await self._tell("Normal", "Created", "Container created")
        await self._tell("Normal", "Started", "Container started")
        return container

    async def _start(self, raw: Mapping[str, Any], state: ContainerState) -> Container:
        """Start, or say why not and try again until it works."""
        image = raw["image"]
        if is_known(image):
            found = f'Container image "{image}" already present on machine'
            await self._tell("Normal", "Pulled", f"{found} and can be accessed by the pod")
        while True:
            try:
                return await Container.start(await self._spec(raw), self._at.enter)
            except PodConfigError as error:
                reason = ("CreateContainerConfigError", str(error))
            except UnknownImageError as error:
                reason = ("ErrImagePull", str(error))
            except OSError as error:
                reason = ("CreateContainerError", str(error))
            except httpx2.HTTPError as error:
                reason = ("CreateContainerConfigError", f"the API server: {error!r}")
            if state.waiting != reason:
                state.waiting = reason
                await self._tell("Warning", "Failed", f"Error: {reason[1]}")
                await self._publish()
            await asyncio.sleep(RETRY_CONFIG_SECONDS)

    async def _watch(
        self, container: Container, raw: Mapping[str, Any], state: ContainerState
    ) -> int:
        """Probe until the container ends; its exit code."""
        probing = Probing(container, state, self._at, publish=self._publish, tell=self._tell)
        grace = self.object["spec"].get("terminationGracePeriodSeconds", 30)
        # Left only when a command that probes has ended, too.
        async with asyncio.TaskGroup() as group:
            task = group.create_task(probing.run(probes(raw), grace))
            await container.wait()
            task.cancel()
        return await container.stop(0)  # what the first process left behind ends with it

    async def _spec(self, raw: Mapping[str, Any]) -> ContainerSpec:
        metadata = self.object["metadata"]
        fields = {
            "metadata.name": metadata["name"],
            "metadata.namespace": metadata["namespace"],
            "metadata.uid": self.uid,
            "spec.nodeName": self.object["spec"]["nodeName"],
            "status.podIP": self._at.ip,
            "status.hostIP": self._host_ip,
        }
        env = await environment(raw, fields, self._lookup)
        declared = {v["name"]: v for v in self.object["spec"].get("volumes", [])}
        mounts = {
            mount["mountPath"]: folder
            for mount in raw.get("volumeMounts", [])
            # Programs have /dev/shm built in, and the sandbox's or this machine's serves as well.
            if mount["mountPath"] != "/dev/shm"  # noqa: S108
            if (folder := await self._volume(declared[mount["name"]])) is not None
        }
        home = {} if self._at.isolated else {"HOME": str(self._folder)}
        return ContainerSpec(
            name=raw["name"],
            image=raw["image"],
            command=tuple(expand(word, env) for word in raw.get("command", ())),
            args=tuple(expand(word, env) for word in raw.get("args", ())),
            env={**home, **env},
            mounts=mounts,
            read_only=read_only(raw, declared),
            sandboxed=self._at.isolated,
            log=self.log(raw["name"]),
        )

    def log(self, container: str, *, previous: bool = False) -> Path:
        """Of the container's run, or of the one before."""
        metadata = self.object["metadata"]
        folder = self._paths.logs / "pods" / f"{metadata['namespace']}_{metadata['name']}"
        return folder / f"{container}{'.previous' if previous else ''}.log"

    async def _volume(self, raw: Mapping[str, Any]) -> Any:
        return await volume(raw, self._folder, self._paths.host_paths, self._lookup)

    async def _publish(self) -> None:
        if self._leaving:
            return
        containers = Containers(list(self._states.values()), list(self._init_states.values()))
        addresses = Addresses(self._at.ip, self._host_ip)
        self._status = pod_status(containers, self._status, addresses)
        await self._deliver(self._status)
