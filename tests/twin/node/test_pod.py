"""One pod's life, with real processes and no API server."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.ports import free_port
from tests.support.waiting import until_async
from tests.twin.node.living import Told, live, log_of, pod_object, printed, shell
from twin.node import pod as pod_module
from twin.node.pod import Pod


@pytest.fixture
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_module, "FIRST_BACKOFF_SECONDS", 0.05)
    monkeypatch.setattr(pod_module, "RETRY_CONFIG_SECONDS", 0.05)


def test_a_pod_without_probes_runs_and_is_ready(tmp_path: Path) -> None:
    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.container().get("ready"))

    told = live(pod_object(shell("exec sleep 60")), tmp_path, story)
    assert told.statuses[-1]["phase"] == "Running"
    assert told.events[:3] == [
        (
            "Pulled",
            'Container image "pause" already present on machine and can be accessed by the pod',
        ),
        ("Created", "Container created"),
        ("Started", "Container started"),
    ]
    assert ("Killing", "Stopping container main") in told.events


def test_arguments_environment_and_mounts_reach_the_process(tmp_path: Path) -> None:
    container = shell(
        "cat /config/name; echo; echo $GREETING; sleep 60",
        env=[{"name": "GREETING", "value": "hello"}],
        volumeMounts=[{"name": "config", "mountPath": "/config"}],
    )
    object_ = pod_object(container, volumes=[{"name": "config", "configMap": {"name": "settings"}}])

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: "hello" in printed(tmp_path))

    live(object_, tmp_path, story, configmaps__settings={"data": {"name": "tiny"}})
    assert log_of(tmp_path).read_text() == "tiny\nhello\n"


@pytest.mark.usefixtures("quick_backoff")
def test_a_process_that_ends_is_started_again_and_counted(tmp_path: Path) -> None:
    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.container().get("restartCount", 0) >= 2)

    told = live(pod_object(shell("exit 3")), tmp_path, story)
    reasons = [
        s["containerStatuses"][0]["state"].get("waiting", {}).get("reason") for s in told.statuses
    ]
    assert "CrashLoopBackOff" in reasons
    assert told.container()["lastState"]["terminated"]["exitCode"] == 3


@pytest.mark.usefixtures("quick_backoff")
def test_what_a_crashed_container_left_behind_is_gone(tmp_path: Path) -> None:
    children: list[psutil.Process] = []

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.container().get("restartCount", 0) >= 1)
        first = int(log_of(tmp_path, "main.previous").read_text())
        if psutil.pid_exists(first):
            children.append(psutil.Process(first))
            await until_async(lambda: children[0].status() == psutil.STATUS_ZOMBIE)

    live(pod_object(shell("sleep 120 & echo $!; exit 1")), tmp_path, story)


@pytest.mark.usefixtures("quick_backoff")
def test_a_missing_secret_is_told_and_waited_for(tmp_path: Path) -> None:
    reference = {"secretKeyRef": {"name": "key", "key": "k"}}
    container = shell("exec sleep 60", env=[{"name": "K", "valueFrom": reference}])

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.waiting() == "CreateContainerConfigError")
        assert told.container()["state"]["waiting"]["message"] == 'secret "key" not found'
        told.objects["secrets/key"] = {"data": {"k": "eA=="}}
        await until_async(told.running)

    told = live(pod_object(container), tmp_path, story)
    failures = [event for event in told.events if event[0] == "Failed"]
    assert failures == [("Failed", 'Error: secret "key" not found')]


def test_an_unknown_image_is_told_and_waited_for(tmp_path: Path) -> None:
    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.waiting() == "ErrImagePull")

    container = {"name": "main", "image": "docker.io/library/nginx:1"}
    told = live(pod_object(container), tmp_path, story)
    assert told.statuses[-1]["phase"] == "Pending"
    assert "docker.io/library/nginx:1" in told.container()["state"]["waiting"]["message"]


def test_init_containers_go_first(tmp_path: Path) -> None:
    first = {"name": "first", "image": "pause", "command": ["sh", "-c", f"echo 1 >{tmp_path}/x"]}
    object_ = pod_object(shell(f"cat {tmp_path}/x; exec sleep 60"), initContainers=[first])

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: printed(tmp_path) == "1\n")

    live(object_, tmp_path, story)


@pytest.mark.usefixtures("quick_backoff")
def test_an_init_container_that_cannot_start_is_told_and_the_pod_can_be_deleted(
    tmp_path: Path,
) -> None:
    init = {"name": "first", "image": "busybox"}

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: any(reason == "Failed" for reason, _ in told.events))

    told = live(pod_object(shell("exec sleep 60"), initContainers=[init]), tmp_path, story)
    assert not told.running()


def test_readiness_follows_the_port(tmp_path: Path) -> None:
    port = free_port()
    probe = {"tcpSocket": {"port": port}, "periodSeconds": 0.05, "failureThreshold": 2}

    async def story(_: Pod, told: Told) -> None:
        await until_async(told.running)
        assert not told.container()["ready"]
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
        await until_async(lambda: told.container()["ready"])
        server.close()
        await server.wait_closed()
        await until_async(lambda: not told.container()["ready"])

    told = live(pod_object(shell("exec sleep 60", readinessProbe=probe)), tmp_path, story)
    assert told.container()["restartCount"] == 0


@pytest.mark.usefixtures("quick_backoff")
def test_a_command_probes_with_the_containers_environment(tmp_path: Path) -> None:
    """And one that does not end within its time is killed, with what it started."""
    end = f"sleep 60 & echo $! >>{tmp_path}/pids; wait"
    command = f'[ "$GREETING" = hello ] || {{ {end}; }}; echo 0 >>{tmp_path}/pids'
    probe = {"exec": {"command": ["sh", "-c", command]}, "periodSeconds": 0.05}
    enough, short = {**probe, "timeoutSeconds": 20}, {**probe, "timeoutSeconds": 2}
    greeting = {"name": "GREETING", "value": "hello"}
    good = shell("exec sleep 60", env=[greeting], livenessProbe=enough)

    async def probed(_: Pod, told: Told) -> None:
        await until_async(lambda: len((tmp_path / "pids").read_text().split()) > 5)

    (tmp_path / "pids").touch()
    assert live(pod_object(good), tmp_path, probed).container()["restartCount"] == 0

    async def restarted(_: Pod, told: Told) -> None:
        await until_async(lambda: told.container().get("restartCount", 0) >= 1)

    (tmp_path / "pids").write_text("")
    live(
        pod_object(shell("exec sleep 60", livenessProbe={**short, "failureThreshold": 1})),
        tmp_path,
        restarted,
    )
    left = int((tmp_path / "pids").read_text().split()[0])
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE


@pytest.mark.usefixtures("quick_backoff")
@pytest.mark.parametrize(
    ("kind", "probe", "said"),
    [
        (
            "liveness",
            {"tcpSocket": {"port": 1}},
            "dial tcp 127.0.0.1:1: connect: connection refused",
        ),
        (
            "startup",
            {"httpGet": {"port": 1, "path": "/health"}},
            'Get "http://127.0.0.1:1/health": dial tcp 127.0.0.1:1: connect: connection refused',
        ),
        (
            "liveness",
            {"exec": {"command": ["sh", "-c", "echo no token; echo in 60 s >&2; exit 1"]}},
            "no token\nin 60 s",
        ),
        (
            "startup",
            {"exec": {"command": ["sleep", "60"]}, "timeoutSeconds": 0.1},
            'command timed out: "sleep 60"',
        ),
    ],
)
def test_a_container_that_fails_its_probe_is_restarted_and_the_reason_told_once(
    kind: str, probe: dict[str, Any], said: str, tmp_path: Path
) -> None:
    times = {"periodSeconds": 0.05, "failureThreshold": 2, "timeoutSeconds": 20}
    container = shell("exec sleep 60", **{f"{kind}Probe": {**times, **probe}})

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.container().get("restartCount", 0) >= 1)

    events = live(pod_object(container), tmp_path, story).events
    killing = ("Killing", f"Container main failed {kind} probe, will be restarted")
    upto = events[: events.index(killing)]
    assert [e for e in upto if e[0] == "Unhealthy"] == [
        ("Unhealthy", f"{kind.capitalize()} probe failed: {said}")
    ]


@pytest.mark.parametrize("kind", ["startup", "readiness", "liveness"])
def test_probes_begin_a_period_apart_however_long_each_takes(kind: str, tmp_path: Path) -> None:
    """As the kubelet's do: else a hung engine would be noticed later on the twin than at home."""
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    script = f"date +%s.%N >>{begun}; sleep 0.8; date +%s.%N >>{ended}; exit 1"
    times = {"periodSeconds": 1, "failureThreshold": 9, "timeoutSeconds": 20}
    probe = {"exec": {"command": ["sh", "-c", script]}, **times}

    def lines(file: Path) -> list[float]:
        return [float(line) for line in file.read_text().split()] if file.exists() else []

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: len(lines(ended)) >= 4)

    live(pod_object(shell("exec sleep 60", **{f"{kind}Probe": probe})), tmp_path, story)
    first, *_, last = zip(lines(begun), lines(ended), strict=False)
    periods = len(lines(ended)) - 1
    pauses = sum(
        later - before for later, before in zip(lines(begun)[1:], lines(ended), strict=False)
    )
    assert last[0] - first[0] >= 0.9 * periods
    assert pauses < 0.5 * periods


def test_a_command_that_probes_is_ended_with_its_pod(tmp_path: Path) -> None:
    """Before the pod is: nothing is left to a loop that ends."""
    script = f"echo $$ >{tmp_path}/probing; trap '' TERM; sleep 60; sleep 60"
    probe = {"exec": {"command": ["sh", "-c", script]}, "timeoutSeconds": 60}
    pids: list[int] = []

    async def story(pod: Pod, _: Told) -> None:
        await until_async((tmp_path / "probing").exists)
        await until_async((tmp_path / "probing").read_text)
        pids.append(int((tmp_path / "probing").read_text()))
        await pod.end()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not psutil.pid_exists(pids[0])

    live(pod_object(shell("exec sleep 60", startupProbe=probe)), tmp_path, story)
    assert pids


def test_an_answer_that_is_no_success_is_named_by_its_status(tmp_path: Path) -> None:
    port = free_port()
    probe = {"httpGet": {"port": port, "path": "/missing"}, "periodSeconds": 0.05}
    server = f"exec {sys.executable} -m http.server --bind 127.0.0.1 {port}"

    async def story(_: Pod, told: Told) -> None:
        said = ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")
        await until_async(lambda: said in told.events)
        assert told.container()["started"]

    live(pod_object(shell(server, readinessProbe=probe)), tmp_path, story)


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [("Never", 0, "Succeeded"), ("Never", 3, "Failed"), ("OnFailure", 0, "Succeeded")],
)
def test_a_container_that_is_not_to_start_again_ends_its_pod(
    policy: str, code: int, phase: str, tmp_path: Path
) -> None:
    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.statuses and told.statuses[-1]["phase"] == phase)

    told = live(pod_object(shell(f"exit {code}"), restartPolicy=policy), tmp_path, story)
    assert told.container()["state"]["terminated"]["exitCode"] == code
    assert told.container()["restartCount"] == 0


@pytest.mark.usefixtures("quick_backoff")
def test_a_failure_is_started_again_if_that_is_the_policy(tmp_path: Path) -> None:
    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.container().get("restartCount", 0) >= 1)

    live(pod_object(shell("exit 3"), restartPolicy="OnFailure"), tmp_path, story)


def test_the_first_restart_follows_at_once_and_the_second_waits(tmp_path: Path) -> None:
    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.waiting() == "CrashLoopBackOff")

    told = live(pod_object(shell("date; exit 1")), tmp_path, story)
    assert told.container()["restartCount"] == 1
    assert told.container()["state"]["waiting"]["message"] == (
        "back-off 10s restarting failed container=main pod=p_vlm(uid-1)"
    )
    said = "Back-off restarting failed container main in pod p_vlm(uid-1)"
    assert ("BackOff", said) in told.events


@pytest.mark.usefixtures("quick_backoff")
def test_the_log_of_the_run_before_is_kept_beside_the_runs_own(tmp_path: Path) -> None:
    script = f"if [ -e {tmp_path}/ran ]; then echo second; exec sleep 60; fi"

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: printed(tmp_path) == "second\n")

    live(pod_object(shell(f"{script}; touch {tmp_path}/ran; echo first")), tmp_path, story)
    assert log_of(tmp_path, "main.previous").read_text() == "first\n"


def test_the_way_out_is_pre_stop_then_sigterm_within_the_grace_period(tmp_path: Path) -> None:
    script = "trap 'date +%s.%N; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    object_ = pod_object(shell(script, lifecycle={"preStop": {"sleep": {"seconds": 1}}}))
    object_["metadata"]["deletionGracePeriodSeconds"] = 10
    asked: list[float] = []

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: printed(tmp_path))
        asked.append(time.time())

    live(object_, tmp_path, story)
    terminated = float(log_of(tmp_path).read_text().split()[1])
    assert 1 <= terminated - asked[0] < 3


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    pids: list[int] = []

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: printed(tmp_path))
        pids.append(int(log_of(tmp_path).read_text()))

    live(pod_object(shell("trap '' TERM; echo $$; while :; do sleep 0.05; done")), tmp_path, story)
    assert not psutil.pid_exists(pids[0])


def test_a_crashed_container_is_not_waited_for_on_the_way_out(tmp_path: Path) -> None:
    object_ = pod_object(shell("exit 1", lifecycle={"preStop": {"sleep": {"seconds": 15}}}))
    object_["metadata"]["deletionGracePeriodSeconds"] = 30

    async def story(_: Pod, told: Told) -> None:
        await until_async(lambda: told.waiting() == "CrashLoopBackOff")

    began = os.times().elapsed
    told = live(object_, tmp_path, story)
    assert os.times().elapsed - began < 10
    assert "Killing" not in dict(told.events)


def test_a_pod_that_ran_before_a_power_off_counts_as_restarted(tmp_path: Path) -> None:
    object_ = pod_object(shell("exec sleep 60"))
    object_["status"] = {"containerStatuses": [{"name": "main", "restartCount": 1}]}

    async def story(_: Pod, told: Told) -> None:
        await until_async(told.running)

    told = live(object_, tmp_path, story)
    assert told.container()["restartCount"] == 2


def test_a_power_off_stops_the_processes_and_tells_nobody(tmp_path: Path) -> None:
    async def story(pod: Pod, told: Told) -> None:
        await until_async(lambda: printed(tmp_path))
        before = len(told.statuses)
        await pod.power_off()
        assert not psutil.pid_exists(int(log_of(tmp_path).read_text()))
        assert len(told.statuses) <= before + 1

    live(pod_object(shell("echo $$; exec sleep 60")), tmp_path, story)
