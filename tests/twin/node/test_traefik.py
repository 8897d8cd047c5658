"""Traefik's command line from a HelmChartConfig."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
import yaml

from infra.home_k3s.entry import chart_values
from twin.containers.container import Container, ContainerSpec
from twin.node import traefik
from twin.node.traefik import additional_arguments, command, next_arguments


def test_the_programs_values_raise_the_time_outs_and_name_what_has_no_effect() -> None:
    values = chart_values({}, tailnet_only=True)
    arguments, ignored = additional_arguments(yaml.safe_dump(values))
    assert arguments == [
        "--entryPoints.web.transport.respondingTimeouts.readTimeout=330s",
        "--entryPoints.web.transport.lifeCycle.graceTimeOut=330s",
    ]
    assert ignored == ["deployment", "service"]


@pytest.mark.parametrize("content", ["", "{}", "additionalArguments: []"])
def test_no_values_are_no_arguments(content: str) -> None:
    assert additional_arguments(content) == ([], [])


def test_both_providers_are_on_and_the_ingress_shows_the_nodes_address() -> None:
    line = command(8081, "10.99.0.4", ["--more"])
    assert line[:2] == ("traefik", "--entrypoints.web.address=:8081")
    for provider in ("kubernetesingress", "kubernetescrd"):
        assert f"--providers.{provider}" in line
        assert f"--providers.{provider}.allowemptyservices=true" in line
    assert "--providers.kubernetesingress.ingressendpoint.ip=10.99.0.4" in line
    assert line[-1] == "--more"


def test_traefik_asks_nobody_else() -> None:
    line = command(80, "10.99.0.4", [])
    assert "--global.checknewversion=false" in line
    assert "--global.sendanonymoususage=false" in line


def after(script: str, folder: Path, changes: list[list[str]]) -> tuple[list[str], int | None]:
    """The next arguments when ``script`` stands for Traefik, and how it ended."""

    async def all_of_it() -> tuple[list[str], int | None]:
        spec = ContainerSpec(
            name="traefik", image="pause", command=("sh", "-c", script), log=folder / "log"
        )
        container = await Container.start(spec)
        wanted: asyncio.Queue[list[str]] = asyncio.Queue()
        for change in changes:
            await wanted.put(change)
        async with asyncio.timeout(10):
            arguments = await next_arguments(container, wanted, ["--old"])
        return arguments, container.exit_code

    return asyncio.run(all_of_it())


def test_new_arguments_end_the_traefik_that_runs(tmp_path: Path) -> None:
    assert after("exec sleep 60", tmp_path, [["--new"]]) == (["--new"], 128 + signal.SIGTERM)


def test_a_traefik_that_ends_by_itself_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traefik, "RESTART_SECONDS", 0.05)
    assert after("exit 3", tmp_path, []) == (["--old"], 3)
