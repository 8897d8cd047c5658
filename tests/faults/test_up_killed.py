"""`hub up` is killed at ten points of its way; the next one brings the twin up, each part once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.waiting import until
from tests.twin.conftest import PATIENCE, ROOT, HubUnderTest
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.faults

ONCE = {
    *("headscale", "derper", "kine", "kube-apiserver", "kube-controller-manager"),
    *("kube-scheduler", "traefik"),
}
"""Processes that a twin has one of, by name."""


@pytest.fixture
def nothing_yet(hub: HubUnderTest) -> Generator[HubUnderTest]:
    """A twin that was removed; whatever the test does, a whole one is there afterwards."""
    hub.ok("clean")
    yield hub
    hub.ok("up")


@pytest.mark.parametrize(
    "point",
    [
        "✓ net-home",
        "✓ headscale",
        "✓ home-tailscaled",
        "✓ kine",
        "✓ kube-apiserver",
        "✓ node",
        "✓ providers",
        "pulumi:pulumi:Stack personal-cloud-hub-twin creating",
        "Service gateway-service created",
        "Deployment model-deployment created",
    ],
)
def test_an_up_that_was_killed_is_taken_up_by_the_next(
    nothing_yet: HubUnderTest, point: str, tmp_path: Path
) -> None:
    hub, output = nothing_yet, tmp_path / "output"
    with (
        output.open("w") as told,
        subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "up"],
            cwd=ROOT,
            env=hub.env,
            stdout=told,
            stderr=subprocess.STDOUT,
        ) as command,
    ):
        until(lambda: point in output.read_text(), seconds=PATIENCE, shown=output.read_text)
        command.send_signal(signal.SIGKILL)
    assert command.returncode == -signal.SIGKILL, "it had ended by itself"

    hub.ok("up")
    with hub.http(first_key(hub)) as http:
        assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200
    running = Counter(hub.processes.values())
    assert {name: running[name] for name in ONCE} == dict.fromkeys(ONCE, 1)
    hub.ok("status")
