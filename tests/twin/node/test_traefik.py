"""Traefik's command line from a HelmChartConfig."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from infra.home_k3s.entry import traefik_values
from twin.node.traefik import additional_arguments, command

API: Any = SimpleNamespace(server="https://127.0.0.1:6443", token="t", authority="/ca.crt")


def test_the_programs_values_raise_the_time_outs_and_name_what_has_no_effect() -> None:
    arguments, ignored = additional_arguments(traefik_values())
    assert arguments == [
        "--entryPoints.web.transport.respondingTimeouts.readTimeout=330s",
        "--entryPoints.web.transport.lifeCycle.graceTimeOut=330s",
    ]
    assert ignored == ["service"]


@pytest.mark.parametrize("content", ["", "{}", "additionalArguments: []"])
def test_no_values_are_no_arguments(content: str) -> None:
    assert additional_arguments(content) == ([], [])


def test_both_providers_ask_the_api_server_and_the_ingress_shows_the_nodes_address() -> None:
    line = command(API, 8081, "10.99.0.4", ["--more"])
    assert line[:2] == ("traefik", "--entrypoints.web.address=:8081")
    for provider in ("kubernetesingress", "kubernetescrd"):
        assert f"--providers.{provider}" in line
        assert f"--providers.{provider}.endpoint=https://127.0.0.1:6443" in line
        assert f"--providers.{provider}.certauthfilepath=/ca.crt" in line
        assert f"--providers.{provider}.token=t" in line
    assert "--providers.kubernetesingress.ingressendpoint.ip=10.99.0.4" in line
    assert line[-1] == "--more"


def test_traefik_asks_nobody_else() -> None:
    line = command(API, 80, "10.99.0.4", [])
    assert "--global.checknewversion=false" in line
    assert "--global.sendanonymoususage=false" in line
