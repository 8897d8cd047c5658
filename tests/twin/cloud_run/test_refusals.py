"""What the control plane refuses: a deploy that cannot be, with the reason in its answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_port
from tests.twin.cloud_run.emulator import running, service
from twin.cloud_run.instance import InstanceError

pytestmark = pytest.mark.usefixtures("images")


def refusal(state: Path, inputs: dict[str, Any]) -> tuple[int, str]:
    async def run() -> tuple[int, str]:
        async with running(state) as cloud:
            answer = await cloud.deploy(inputs)
            assert (await cloud.admin.get("/services")).json() == []
            return answer.status_code, answer.text

    return asyncio.run(run())


@pytest.mark.parametrize("version", ["3", "latest"])
def test_a_secret_without_the_version_is_refused(state: Path, version: str) -> None:
    (state / "google" / "secrets" / "word").mkdir(parents=True)
    reference = {"secretKeyRef": {"secret": "projects/p/secrets/word", "version": version}}
    main = {"envs": [{"name": "WORD", "valueSource": reference}]}
    assert refusal(state, service(free_port(), main=main)) == (
        400,
        f"secret word has no version {version}, or it is destroyed",
    )


def test_an_image_that_nothing_stands_for_is_refused(state: Path) -> None:
    status, text = refusal(state, service(free_port(), main={"image": "nginx"}))
    assert status == 400
    assert text.startswith("container main could not be started: ")
    assert "nginx" in text


def test_a_second_service_is_refused(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port()))
            [pid] = await cloud.pids()
            answer = await cloud.deploy({**service(free_port()), "name": "other"})
            assert answer.status_code == 409
            assert answer.text == "this machine runs one service, and it is svc"
            assert await cloud.pids() == [pid]

    asyncio.run(run())


def test_a_service_that_is_being_deleted_starts_no_instance(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port()))
            deployed = cloud.registry.only
            assert deployed is not None
            await cloud.admin.delete("/services/svc")
            with pytest.raises(InstanceError, match="the service is being deleted"):
                await deployed.ready()

    asyncio.run(run())
