"""One instance of a revision: its containers from the first probe to the last signal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from twin.cloud_run.revision import Revision, RevisionContainer, SecretRef
from twin.containers.container import Container, ContainerSpec, command_line
from twin.containers.images import UnknownImageError, resolve
from twin.containers.probes import Probe, failure
from twin.paths import TwinPaths

LOG = logging.getLogger("twin.cloud_run")
GRACE_SECONDS = 10
"""Between SIGTERM and SIGKILL: Cloud Run's container contract."""
LOG_TAIL_LINES = 8


@dataclass(frozen=True, kw_only=True)
class Place:
    """A network for one instance at a time: how to run a program there, and its address."""

    enter: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    isolated: bool = False
    """A namespace, as the containers' files and processes then have, too."""


class InstanceError(Exception):
    """An instance could not start; the message says which container, why, and its last lines."""


class Instance:
    """Containers as processes, in the order of their dependencies."""

    def __init__(self, revision: Revision, paths: TwinPaths, place: Place) -> None:
        self.id = f"{revision.name}-{secrets.token_hex(4)}"
        self.revision = revision
        self.place = place
        self.address = f"{place.host}:{revision.ingress.port}"
        self.state: Literal["starting", "ready", "draining"] = "starting"
        self.started_at = time.time()
        self._paths = paths
        self._folder = paths.root / "instances" / self.id
        self._containers: list[Container] = []
        self._scratches: list[Path] = []
        self._passed_startup_at: dict[str, float] = {}

    async def start(self) -> None:
        """Start each container when those it depends on have passed their startup probe.

        Raises:
            InstanceError: a container ended or its probe failed too often; all are stopped.
        """
        self._log_event("Starting new instance.")
        try:
            for part in self.revision.containers:
                container = await self._start(part)
                self._containers.append(container)
                if part.startup is not None:
                    await self._await_startup(container, part.startup)
                    self._passed_startup_at[part.name] = time.time()
        except BaseException:
            await self.stop()
            raise
        self.state = "ready"
        LOG.info("%s: ready after %.2f s", self.id, time.time() - self.started_at)

    async def ended(self) -> str:
        """Wait until any container ends; its name."""
        waits = {asyncio.create_task(c.wait()): c.spec.name for c in self._containers}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        return waits[next(iter(done))]

    async def stop(self) -> None:
        """SIGTERM to all at once, ten seconds, SIGKILL."""
        self.state = "draining"
        await asyncio.gather(*(c.stop(GRACE_SECONDS) for c in self._containers))
        for folder in (self._folder, *self._scratches):
            shutil.rmtree(folder, ignore_errors=True)
        self._log_event("Instance ended.")

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "state": self.state,
            "address": self.address,
            "startedAt": self.started_at,
            "containers": [
                {
                    "name": c.spec.name,
                    "image": c.spec.image,
                    "pid": c.pid,
                    "startedAt": c.started_at,
                    "passedStartupAt": self._passed_startup_at.get(c.spec.name),
                    "program": command_line(c.spec, resolve(c.spec.image))[0],
                }
                for c in self._containers
            ],
        }

    async def _start(self, part: RevisionContainer) -> Container:
        try:
            return await Container.start(
                ContainerSpec(
                    name=part.name,
                    image=part.image,
                    command=part.command,
                    args=part.args,
                    env=self._environment(part),
                    mounts={
                        "/tmp": self._scratch(),  # noqa: S108
                        **{path: self._volume(v) for path, v in part.mounts.items()},
                    },
                    read_only=[p for p, v in part.mounts.items() if self.revision.volumes[v]],
                    sandboxed=self.place.isolated,
                    log=self._log(part.name),
                ),
                self.place.enter,
            )
        except (UnknownImageError, FileNotFoundError) as error:
            raise InstanceError(f"container {part.name} could not be started: {error}") from error

    def _log(self, name: str) -> Path:
        return self._paths.logs / "run" / f"{self.revision.service}-{name}.log"

    def _log_event(self, text: str) -> None:
        """A line of the service's system log, in the form of Cloud Logging's entries."""
        entry = {
            "timestamp": datetime.now(UTC).isoformat(),
            "labels": {"instanceId": self.id},
            "resource": {"labels": {"location": self.revision.region}},
            "textPayload": text,
        }
        log = self._log("system")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def _environment(self, part: RevisionContainer) -> Mapping[str, str]:
        values = {
            name: self._payload(value).decode() if isinstance(value, SecretRef) else value
            for name, value in part.env.items()
        }
        service = {
            "K_SERVICE": self.revision.service,
            "K_REVISION": self.revision.name,
            "K_CONFIGURATION": self.revision.service,
        }
        port = {"PORT": str(part.port)} if part.port is not None else {}
        return {**service, **port, **values}

    def _scratch(self) -> Path:
        """A container's own /tmp; a short path, because sockets are made in it."""
        folder = self._paths.sockets / secrets.token_hex(3)
        folder.mkdir(parents=True, mode=0o700)
        self._scratches.append(folder)
        return folder

    def _volume(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file, reference in self.revision.volumes[name].items():
            target = folder / file
            target.touch(mode=0o600)
            target.write_bytes(self._payload(reference))
        return folder

    def _payload(self, reference: SecretRef) -> bytes:
        files = (self._paths.google / "secrets" / reference.secret).glob("*")
        versions = sorted(files, key=lambda file: int(file.name))
        meant = [v for v in versions if reference.version in (v.name, "latest")]
        if not meant:
            raise InstanceError(
                f"secret {reference.secret} has no version {reference.version}, or it is destroyed"
            )
        return meant[-1].read_bytes()

    async def _await_startup(self, container: Container, probe: Probe) -> None:
        await asyncio.sleep(probe.initial_delay_seconds)
        for _ in range(probe.failure_threshold):
            if container.exit_code is not None:
                break
            if await failure(probe, self.place.host) is None:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(container.wait(), probe.period_seconds)
        name, code = container.spec.name, container.exit_code
        what = (
            f"its startup probe on port {probe.port}{probe.path or ''} did not succeed"
            if code is None
            else f"it ended with exit code {code}"
        )
        lines = container.spec.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        raise InstanceError(
            f"The user-provided container {name} failed to start: {what}. Its last lines:\n  "
            + "\n  ".join(lines)
        )
