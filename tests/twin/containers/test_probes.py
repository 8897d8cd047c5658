"""One attempt of a probe, without a pod."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import psutil
import pytest

from tests.support.ports import free_port
from tests.support.waiting import until_async
from twin.containers.probes import Probe, failure


def test_a_command_is_ended_however_often_its_probe_is_told_to_end(tmp_path: Path) -> None:
    """As when a pod ends while one of its probes is being ended already."""
    command = ("sh", "-c", f"echo $$ >{tmp_path}/pid; exec sleep 60")
    file = tmp_path / "pid"

    async def story() -> None:
        probing = asyncio.create_task(failure(Probe(command=command, timeout_seconds=60)))
        await until_async(lambda: file.exists() and file.read_text())
        for _ in range(10):
            await asyncio.sleep(0)  # until the loop, too, knows that the command runs
        for _ in range(3):
            probing.cancel()
            await asyncio.sleep(0)
        await asyncio.wait({probing})
        assert probing.cancelled()
        assert not psutil.pid_exists(int(file.read_text()))

    asyncio.run(story())


def test_an_attempt_does_not_load_the_certificates_of_the_whole_world(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would take more of the processor than all else that the node does."""

    def load(*_: object, **__: object) -> None:
        pytest.fail("certificates are loaded")

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    monkeypatch.setattr(ssl, "create_default_context", load)
    port = free_port()
    why = asyncio.run(failure(Probe(port=port, path="/health", timeout_seconds=20)))
    at = f"127.0.0.1:{port}"
    assert why == f'Get "http://{at}/health": dial tcp {at}: connect: connection refused'
