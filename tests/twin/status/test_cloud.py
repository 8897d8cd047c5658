"""What is told of the gateway and of Cloud Run, without a request to either."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.ports import free_port
from tests.support.waiting import until
from tests.twin.status.conftest import Parts, of
from twin.engine import Engine
from twin.logs import NOT_STARTED
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.status.cloud import cloud_run, gateway
from twin.toolchain.program import Program


def service(*containers: dict[str, Any]) -> list[dict[str, Any]]:
    instances = [{"id": "i", "containers": list(containers)}] if containers else []
    return [{"name": "home-gateway", "revision": "r-1", "instances": instances}]


def container(pid: int, image: str) -> dict[str, Any]:
    return {"pid": pid, "image": f"registry/{image}", "program": "/bin/sh"}


AWAKE = service(container(os.getpid(), "caddy:2"))


def engine(folder: Path) -> Engine:
    settings = replace(TwinSettings.from_environment(), gateway_port=free_port())
    return Engine(TwinPaths(folder), settings, "")


@pytest.mark.parametrize(
    ("services", "state", "told"),
    [
        (None, "down", "Cloud Run's emulator does not answer"),
        ([], "down", "no service is deployed"),
        (service(), "idle", "scaled to zero"),
        (AWAKE, "down", "nobody takes connections"),
    ],
)
def test_a_gateway_is_awake_only_with_an_instance_and_an_open_port(
    parts: Parts, tmp_path: Path, services: Any, state: str, told: str
) -> None:
    seen = gateway(engine(tmp_path), parts("cloud-run"), services)
    assert (seen.state, seen.detail) == (state, told)


def test_a_gateway_that_takes_connections_is_awake(parts: Parts, tmp_path: Path) -> None:
    one = engine(tmp_path)
    with socket.create_server(("127.0.0.1", one.settings.gateway_port)):
        seen = gateway(one, parts("cloud-run"), AWAKE)
    assert (seen.state, seen.detail) == ("ok", "awake")


def test_what_is_stopped_takes_connections_and_is_no_gateway(parts: Parts, tmp_path: Path) -> None:
    one = engine(tmp_path)
    with socket.create_server(("127.0.0.1", one.settings.gateway_port)):
        seen = gateway(one, parts(**{"cloud-run": "stopped"}), AWAKE)
    assert seen.state == "down"
    assert seen.detail.startswith("cloud-run is stopped")


def test_why_the_last_instance_did_not_start_is_told(parts: Parts, tmp_path: Path) -> None:
    one = engine(tmp_path)
    one.paths.logs.mkdir()
    (one.paths.logs / "cloud-run.log").write_text(f"r-1: {NOT_STARTED}: no such image\n")
    seen = gateway(one, parts("cloud-run"), service())
    assert (seen.state, seen.detail) == (
        "idle",
        "no instance; the last one did not start: no such image",
    )


@pytest.mark.parametrize(
    ("services", "state", "told"),
    [
        (None, "down", "Cloud Run's emulator does not answer"),
        ([], "down", "not deployed; `hub up` deploys it"),
        (service(), "idle", "no instance"),
    ],
)
def test_a_service_is_told_by_its_instances(
    parts: Parts, services: Any, state: str, told: str
) -> None:
    [seen] = cloud_run(parts("cloud-run"), services)
    assert (seen.what, seen.state, seen.detail) == ("home-gateway", state, told)


def test_a_container_is_told_by_what_runs_in_it_now(parts: Parts) -> None:
    [cloud] = parts("cloud-run").values()
    asked = {"cloud-run": of(cloud, sleep=Program("/usr/bin/sleep", "9.1.0"))}
    with subprocess.Popen(["sh", "-c", "sleep 60; :"]) as shell:
        process = psutil.Process(shell.pid)
        until(lambda: bool(process.children()))
        [child] = process.children()
        containers = service(container(shell.pid, "tailscale:v1"))
        [seen] = cloud_run(asked, containers)
        child.send_signal(signal.SIGSTOP)
        until(lambda: child.status() == psutil.STATUS_STOPPED)
        [stopped] = cloud_run(asked, containers)
        child.kill()
    [ended] = cloud_run(asked, containers)
    assert (seen.state, seen.version, seen.detail) == ("ok", "r-1", "sleep 9.1.0 as tailscale:v1")
    assert (stopped.state, stopped.detail) == ("down", "sleep 9.1.0 as tailscale:v1 is stopped")
    assert (ended.state, ended.detail) == ("down", "/bin/sh as tailscale:v1 has ended")
