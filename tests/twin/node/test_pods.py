"""Which pods the node runs and lets go, against a scripted API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import psutil
import pytest

from tests.support.waiting import until_async
from tests.twin.node.living import LIMIT_SECONDS, log_of, pod_object, printed, shell
from twin.node.__main__ import Pods
from twin.node.pod_network import OneAddress
from twin.paths import TwinPaths

TOO_LARGE = (
    "rpc error: code = Unknown desc = request for 'nvidia.com/gpu: 2' too large: "
    "maximum request size for shared resources is 1"
)
NONE_ANNOUNCED = "no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu"


class ScriptedApi:
    """Watch events come from the test; what the node asks is written down."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.asked: list[str] = []
        self.statuses: list[Any] = []
        self.forbidden: str | None = None
        self.pid = 0
        self.alive_at_delete: list[bool] = []

    async def watch(self, path: str, **params: str) -> AsyncGenerator[tuple[str, Any]]:
        assert (path, params) == ("/api/v1/pods", {"fieldSelector": "spec.nodeName=home"})
        while True:
            yield await self.events.get()

    def _ask(self, method: str, path: str) -> None:
        self.asked.append(f"{method} {path.removeprefix('/api/v1/namespaces/')}")
        if self.forbidden is not None and path.endswith(self.forbidden):
            raise httpx2.HTTPError("403 Forbidden")

    async def post(self, path: str, body: Any) -> bool:
        self._ask("POST", path)
        return True

    async def patch(self, path: str, body: Any) -> bool:
        self._ask("PATCH", path)
        self.statuses.append(body["status"])
        return True

    async def delete_at_once(self, path: str, uid: str) -> None:
        self.alive_at_delete.append(psutil.pid_exists(self.pid))
        self._ask("DELETE", path)

    def deleted(self) -> bool:
        return "DELETE vlm/pods/p" in self.asked


def follow(
    folder: Path, story: Callable[[ScriptedApi], Awaitable[None]], gpus: int | None = 10
) -> ScriptedApi:
    async def all_of_it() -> ScriptedApi:
        fake = ScriptedApi()
        api: Any = fake
        node: Any = SimpleNamespace(name="home", ip="127.0.0.1", gpus=gpus)
        pods = Pods(api, TwinPaths(folder), node, OneAddress("127.0.0.1"))
        following = asyncio.create_task(pods.follow())
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await story(fake)
        finally:
            await pods.power_off()
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        return fake

    return asyncio.run(all_of_it())


def leaving(pod: dict[str, Any], grace: int) -> dict[str, Any]:
    metadata = {
        **pod["metadata"],
        "deletionTimestamp": "2026-11-23T12:00:00Z",
        "deletionGracePeriodSeconds": grace,
    }
    return {**pod, "metadata": metadata}


SLOW = pod_object(shell("trap 'sleep 1; exit 0' TERM; echo $$; while :; do sleep 0.05; done"))


async def written(folder: Path) -> int:
    await until_async(lambda: printed(folder))
    return int(log_of(folder).read_text())


def test_a_deleted_pods_process_is_gone_before_its_object(tmp_path: Path) -> None:
    async def story(api: ScriptedApi) -> None:
        await api.events.put(("ADDED", SLOW))
        pid = await written(tmp_path)
        await api.events.put(("MODIFIED", leaving(SLOW, 10)))
        api.pid = pid
        await until_async(api.deleted)

    assert follow(tmp_path, story).alive_at_delete == [False]


def test_a_pod_on_its_way_out_that_is_seen_again_keeps_its_grace(tmp_path: Path) -> None:
    """A watch lasts less than a minute, vLLM's grace period 90 s."""

    async def story(api: ScriptedApi) -> None:
        await api.events.put(("ADDED", SLOW))
        pid = await written(tmp_path)
        for kind in ("MODIFIED", "ADDED", "MODIFIED"):
            await api.events.put((kind, leaving(SLOW, 10)))
        api.pid = pid
        await until_async(api.deleted)

    assert follow(tmp_path, story).alive_at_delete == [False]


def test_a_pod_can_leave_a_namespace_that_takes_no_more_events(tmp_path: Path) -> None:
    async def story(api: ScriptedApi) -> None:
        await api.events.put(("ADDED", SLOW))
        await written(tmp_path)
        api.forbidden = "/events"
        await api.events.put(("MODIFIED", leaving(SLOW, 10)))
        await until_async(api.deleted)

    follow(tmp_path, story)


def test_a_pod_that_left_while_the_node_was_off_is_let_go(tmp_path: Path) -> None:
    async def story(api: ScriptedApi) -> None:
        await api.events.put(("ADDED", leaving(SLOW, 30)))
        await until_async(api.deleted)

    follow(tmp_path, story)
    assert not log_of(tmp_path).exists()


def test_a_pod_that_is_no_longer_listed_is_stopped(tmp_path: Path) -> None:
    async def story(api: ScriptedApi) -> None:
        await api.events.put(("ADDED", SLOW))
        pid = await written(tmp_path)
        await api.events.put(("RELISTED", []))
        await until_async(lambda: not psutil.pid_exists(pid))

    assert not follow(tmp_path, story).deleted()


@pytest.mark.parametrize(
    ("asked", "announced", "why"),
    [
        ("2", 10, TOO_LARGE),
        ("1", None, NONE_ANNOUNCED),
        ("1", 0, NONE_ANNOUNCED),
        ("2", 0, NONE_ANNOUNCED),
    ],
)
def test_a_pod_that_gets_no_gpu_is_refused_in_the_kubelets_words(
    asked: str, announced: int | None, why: str, tmp_path: Path
) -> None:
    """One that the scheduler placed before a restart of the node comes before the plugin."""
    greedy = pod_object(shell("echo no", resources={"limits": {"nvidia.com/gpu": asked}}))

    async def story(api: ScriptedApi) -> None:
        await api.events.put(("ADDED", greedy))
        await until_async(lambda: api.statuses)

    told = follow(tmp_path, story, announced)
    # Who sees that it failed finds why.
    assert told.asked == ["POST vlm/events", "PATCH vlm/pods/p/status"]
    [status] = told.statuses
    assert status == {
        "phase": "Failed",
        "reason": "UnexpectedAdmissionError",
        "message": f"Pod was rejected: Allocate failed due to {why}, which is unexpected",
        "conditions": None,
    }
    assert not log_of(tmp_path).exists()


def test_a_pod_that_asks_for_one_slice_runs(tmp_path: Path) -> None:
    modest = pod_object(shell("echo yes", resources={"limits": {"nvidia.com/gpu": "1"}}))

    async def story(api: ScriptedApi) -> None:
        await api.events.put(("ADDED", modest))
        await until_async(lambda: printed(tmp_path) == "yes\n")

    follow(tmp_path, story)


def test_readiness_that_the_api_server_took_away_is_told_again(tmp_path: Path) -> None:
    def ready(status: Any) -> bool:
        return any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])

    async def story(api: ScriptedApi) -> None:
        await api.events.put(("ADDED", SLOW))
        await until_async(lambda: api.statuses and ready(api.statuses[-1]))
        told = len(api.statuses)
        given_up = [
            {**c, "status": "False"} if c["type"] == "Ready" else c
            for c in api.statuses[-1]["conditions"]
        ]
        same = {**SLOW, "status": api.statuses[-1]}
        await api.events.put(("MODIFIED", same))
        await api.events.put(
            ("MODIFIED", {**SLOW, "status": {**api.statuses[-1], "conditions": given_up}})
        )
        await until_async(lambda: len(api.statuses) > told)
        assert ready(api.statuses[-1])
        assert len(api.statuses) == told + 1

    follow(tmp_path, story)


def test_a_finished_pod_is_not_run(tmp_path: Path) -> None:
    async def story(api: ScriptedApi) -> None:
        await api.events.put(("ADDED", {**SLOW, "status": {"phase": "Failed"}}))
        await api.events.put(("RELISTED", []))
        await until_async(api.events.empty)

    assert follow(tmp_path, story).asked == []
