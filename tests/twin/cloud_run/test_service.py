"""Cloud Run's contract, on small containers: when processes start, what they get, when they end."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from tests.support.google.interface import misfits
from tests.support.ports import free_port
from tests.support.waiting import until_async
from tests.twin.cloud_run.emulator import running, service

pytestmark = pytest.mark.usefixtures("images")


def test_a_deploy_proves_that_an_instance_starts_and_names_the_revision(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            answer = await cloud.deploy(service(free_port()))
            assert answer.status_code == 200
            assert answer.json()["uri"] == "http://here"
            assert answer.json()["latestReadyRevision"].startswith("svc-00001-")
            [pid] = await cloud.pids()
            assert psutil.pid_exists(pid)
            assert re.fullmatch(r"svc-00001-[a-z]{3}", (await cloud.listed())["revision"])

    asyncio.run(run())


def test_a_container_gets_its_port_its_service_and_its_secrets(state: Path) -> None:
    port = free_port()
    secrets = state / "google" / "secrets"
    for name, value in {"word": b"sesame", "file": b"content"}.items():
        (secrets / name).mkdir(parents=True)
        (secrets / name / "3").write_bytes(value)
    reference = {"secretKeyRef": {"secret": "projects/p/secrets/word", "version": "3"}}
    main = {
        "envs": [
            {"name": "WORD", "valueSource": reference},
            {"name": "FILE", "value": "/etc/v/name"},
        ],
        "volumeMounts": [{"name": "v", "mountPath": "/etc/v"}],
    }
    volume = {
        "name": "v",
        "secret": {"secret": "file", "items": [{"path": "name", "version": "3"}]},
    }

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(port, main=main, volumes=[volume]))
            env = (await cloud.front.get("/env")).json()
            assert env["PORT"] == str(port)
            assert env["K_SERVICE"] == env["K_CONFIGURATION"] == "svc"
            assert env["K_REVISION"] == (await cloud.listed())["revision"]
            assert env["WORD"] == "sesame"
            assert await asyncio.to_thread(Path(env["FILE"]).read_bytes) == b"content"
            assert env["x"] == "https"

    asyncio.run(run())


def test_a_container_that_ends_fails_the_deploy_with_its_last_words_and_the_old_revision_stays(
    state: Path,
) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port()))
            before = (await cloud.listed())["revision"]
            answer = await cloud.deploy(service(free_port(), main={"image": "broken"}))
            assert answer.status_code == 400
            assert "container main failed to start: it ended with exit code 4" in answer.text
            assert "cannot read my config" in answer.text
            assert (await cloud.listed())["revision"] == before
            assert (await cloud.front.get("/")).status_code == 200

    asyncio.run(run())


def test_a_new_revision_starts_beside_the_old_one_which_finishes_what_it_works_on(
    state: Path,
) -> None:
    main = {"envs": [{"name": "GO", "value": "/tmp/go"}]}
    log = state / "logs" / "run" / "svc-main.log"

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), main=main))
            [old] = await cloud.pids()
            begun = asyncio.create_task(cloud.front.get("/stream"))

            async def works() -> bool:
                return "waits for" in await asyncio.to_thread(log.read_text)

            await until_async(works)
            await cloud.deploy(service(free_port()))
            assert (await cloud.front.get("/env")).json()["K_REVISION"].startswith("svc-00002-")
            states = [i["state"] for i in (await cloud.listed())["instances"]]
            assert states == ["ready", "draining"]
            go = re.findall("waits for (.+)", await asyncio.to_thread(log.read_text))[0]
            await asyncio.to_thread(Path(go).touch)
            assert (await begun).text == "onetwo"

            async def alone() -> bool:
                return not psutil.pid_exists(old) and len(await cloud.pids()) == 1

            await until_async(alone)

    asyncio.run(run())


def test_with_one_network_a_new_revision_stops_the_old_one_first(state: Path) -> None:
    async def run() -> None:
        async with running(state, networks=1) as cloud:
            await cloud.deploy(service(free_port()))
            [old] = await cloud.pids()
            slow = asyncio.create_task(cloud.front.get("/slow"))
            asked = asyncio.create_task(cloud.front.get("/env"))
            await asked
            await cloud.deploy(service(free_port()))
            assert not psutil.pid_exists(old)
            assert (await slow).status_code == 503
            assert (await cloud.front.get("/")).status_code == 200

    asyncio.run(run())


def test_a_dependency_that_never_passes_its_probe_fails_the_deploy_and_is_named(
    state: Path,
) -> None:
    probe = {"httpGet": {"path": "/healthz", "port": 1}, "periodSeconds": 1, "failureThreshold": 1}
    sidecar = {"name": "side", "image": "sidecar", "startupProbe": probe}

    async def run() -> None:
        async with running(state) as cloud:
            told = (await cloud.deploy(service(free_port(), sidecar))).text
            assert "container side failed to start: its startup probe on port 1/healthz" in told

    asyncio.run(run())


def test_a_container_starts_after_the_probes_of_those_it_depends_on(state: Path) -> None:
    port = free_port()
    late = {
        "name": "late",
        "image": "server",
        "envs": [{"name": "START_SECONDS", "value": "1"}, {"name": "PORT", "value": str(port)}],
        "startupProbe": {
            "httpGet": {"path": "/", "port": port},
            "periodSeconds": 0.1,
            "failureThreshold": 200,
        },
    }

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), late))
            [instance] = (await cloud.listed())["instances"]
            first, second = instance["containers"]
            assert (first["name"], second["name"]) == ("late", "main")
            assert first["passedStartupAt"] >= first["startedAt"] + 1
            assert second["startedAt"] >= first["passedStartupAt"]

    asyncio.run(run())


def test_the_latest_version_of_a_secret_is_the_one_with_the_highest_number(state: Path) -> None:
    versions = state / "google" / "secrets" / "word"
    versions.mkdir(parents=True)
    for number in ("9", "10"):
        (versions / number).write_text(f"sesame {number}")
    main = {"envs": [{"name": "WORD", "valueSource": {"secretKeyRef": {"secret": "word"}}}]}

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), main=main))
            assert (await cloud.front.get("/env")).json()["WORD"] == "sesame 10"

    asyncio.run(run())


def test_idle_means_no_process_and_the_next_request_starts_one(state: Path) -> None:
    async def run() -> None:
        async with running(state, idle_seconds=0.3) as cloud:
            await cloud.deploy(service(free_port()))
            [pid] = await cloud.pids()
            await cloud.no_instance()
            assert not psutil.pid_exists(pid)
            answers = await asyncio.gather(*(cloud.front.get("/env") for _ in range(5)))
            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.json()["K_REVISION"] for answer in answers}) == 1

    asyncio.run(run())


def test_the_system_log_has_each_instances_start_and_end(state: Path) -> None:
    async def run() -> list[str]:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port()))
            [first] = (await cloud.listed())["instances"]
            await cloud.deploy(service(free_port(), main={"image": "broken"}))
            return [first["id"]]

    [first] = asyncio.run(run())
    lines = (state / "logs" / "run" / "svc-system.log").read_text().splitlines()
    logged = [json.loads(line) for line in lines]
    assert [misfits("logging", "LogEntry", entry, sent=False) for entry in logged] == [[]] * 4
    # The second one is tried beside the first, which goes on serving until the end.
    assert [entry["textPayload"] for entry in logged] == [
        "Starting new instance.",
        "Starting new instance.",
        "Instance ended.",
        "Instance ended.",
    ]
    ids = [entry["labels"]["instanceId"] for entry in logged]
    assert ids == [first, ids[1], ids[1], first]
    assert ids[1].startswith("svc-00002-")
    times = [datetime.fromisoformat(entry["timestamp"]) for entry in logged]
    assert times == sorted(times)
    assert {entry["resource"]["labels"]["location"] for entry in logged} == {"us-central1"}


def test_a_container_that_dies_takes_its_instance_with_it_and_the_next_request_a_new_one(
    state: Path,
) -> None:
    sidecar = {"name": "side", "image": "sidecar"}

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), sidecar))
            first = set(await cloud.pids())
            assert (await cloud.front.get("/die")).status_code == 503

            async def gone() -> bool:
                return not first & set(await cloud.pids())

            await until_async(gone)
            assert [pid for pid in first if psutil.pid_exists(pid)] == []
            assert (await cloud.front.get("/")).status_code == 200

    asyncio.run(run())


def test_deleting_kills_what_ignores_sigterm_and_leaves_no_process(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.cloud_run.instance.GRACE_SECONDS", 0.3)
    sidecar = {"name": "side", "image": "stubborn"}

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), sidecar))
            pids = await cloud.pids()
            await cloud.admin.delete("/services/svc")
            assert [pid for pid in pids if psutil.pid_exists(pid)] == []
            assert (await cloud.front.get("/")).status_code == 404

    asyncio.run(run())


def test_a_long_answer_is_not_idle_time(state: Path) -> None:
    main = {"envs": [{"name": "GO", "value": "/tmp/go"}]}

    async def run() -> None:
        async with running(state, idle_seconds=0.3) as cloud:
            await cloud.deploy(service(free_port(), main=main))
            async with cloud.front.stream("GET", "/stream") as answer:
                pieces = answer.aiter_raw()
                assert await anext(pieces) == b"one"
                [pid] = await cloud.pids()
                await asyncio.sleep(1.5)  # nothing happens, which cannot be awaited
                assert await cloud.pids() == [pid]

    asyncio.run(run())
