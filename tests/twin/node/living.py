"""A pod with real processes and no API server.

The image is ``pause``; its command is the test's, run by a shell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.node.pod import Pod
from twin.node.pod_network import OneAddress
from twin.paths import TwinPaths

LIMIT_SECONDS = 20


@dataclass
class Told:
    """What a pod has told the API server."""

    statuses: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    events: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    objects: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    async def deliver(self, status: Mapping[str, Any]) -> None:
        self.statuses.append(status)

    async def tell(self, type_: str, reason: str, message: str) -> None:
        self.events.append((reason, message))

    async def lookup(self, kind: str, name: str) -> Mapping[str, Any] | None:
        return self.objects.get(f"{kind}/{name}")

    def container(self) -> dict[str, Any]:
        return self.statuses[-1]["containerStatuses"][0] if self.statuses else {}

    def waiting(self) -> str | None:
        return self.container().get("state", {}).get("waiting", {}).get("reason")

    def running(self) -> bool:
        return "running" in self.container().get("state", {})


def shell(script: str, **more: Any) -> dict[str, Any]:
    return {"name": "main", "image": "pause", "command": ["sh", "-c", script], **more}


def pod_object(container: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "vlm", "uid": "uid-1"},
        "spec": {"nodeName": "home", "containers": [container], **spec},
        "status": {},
    }


def live(
    object_: dict[str, Any],
    folder: Path,
    story: Callable[[Pod, Told], Awaitable[None]],
    **objects: Mapping[str, Any],
) -> Told:
    """Begin the pod, let the story happen, end the pod."""
    told = Told()
    told.objects.update({name.replace("__", "/"): value for name, value in objects.items()})

    async def all_of_it() -> None:
        pod = Pod(
            object_,
            TwinPaths(folder),
            "127.0.0.1",
            OneAddress("127.0.0.1"),
            lookup=told.lookup,
            deliver=told.deliver,
            tell=told.tell,
        )
        pod.begin()
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await story(pod, told)
        finally:
            pod.object["metadata"].setdefault("deletionGracePeriodSeconds", 1)
            await pod.end()

    asyncio.run(all_of_it())
    return told


def printed(folder: Path) -> str:
    """What the container has printed so far."""
    log = log_of(folder)
    return log.read_text() if log.exists() else ""


def log_of(folder: Path, container: str = "main") -> Path:
    return folder / "logs/pods/vlm_p" / f"{container}.log"
