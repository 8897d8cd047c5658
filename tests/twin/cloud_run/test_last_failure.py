"""Why no instance could be started, as the emulator's log has it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from twin.cloud_run.activator import application
from twin.cloud_run.admin import Registry
from twin.cloud_run.instance import InstanceError
from twin.logs import FORMAT
from twin.parts.system import last_failure
from twin.paths import TwinPaths


class Refusing:
    """A service of which no instance starts."""

    class revision:  # noqa: N801
        timeout_seconds = 1.0

    async def ready(self) -> None:
        raise InstanceError("container caddy failed to start.\n  Its last lines:\n  one\n  two")


class Only:
    only = Refusing()


@pytest.fixture
def log(tmp_path: Path) -> Any:
    file = TwinPaths(tmp_path).logs / "cloud-run.log"
    file.parent.mkdir(parents=True)
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter(FORMAT))
    logger = logging.getLogger("twin.cloud_run")
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)
    handler.close()


def ask() -> int:
    async def asked() -> int:
        transport = httpx2.ASGITransport(app=application(cast("Registry", Only)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://activator") as http:
            return (await http.get("/ready")).status_code

    return asyncio.run(asked())


def test_the_reason_is_there_until_an_instance_starts(tmp_path: Path, log: Any) -> None:
    paths = TwinPaths(tmp_path)
    assert last_failure(paths) == ""
    assert ask() == 503
    told = "container caddy failed to start. Its last lines: one two"
    assert last_failure(paths) == told
    log.warning("home-gateway-00001-abc: ready after 1.20 s")
    assert last_failure(paths) == ""
