"""A twin of the tests' own, beside any that runs on this machine."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from rich.console import Console

from tests.support.ports import free_port, free_ports_in_a_row
from twin.network import ENDS, Network, choose_mode
from twin.parts import system
from twin.parts.part import records
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.toolchain.ensure import ensure

ROOT = Path(__file__).parents[2]
PATIENCE = 90
"""Seconds that a part of the twin may take for something, on a machine that is busy."""


ALL_KEPT = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
"""For many threads: httpcore closes what is over its limit while another thread takes it."""


class Patient(httpx2.HTTPTransport):
    """Keeps to the requests that a client has in a minute: some tests ask for more."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        while (answer := super().handle_request(request)).status_code == 429:
            answer.close()
            time.sleep(float(answer.headers["Retry-After"]))
        return answer


@dataclass(frozen=True)
class HubUnderTest:
    """The `hub` command on one state folder."""

    state: Path
    env: dict[str, str]
    gateway: str

    def run(self, *arguments: str, minutes: float = 8) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hub.cli", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=minutes * 60,
            check=False,
        )

    def ok(self, *arguments: str, minutes: float = 8) -> str:
        done = self.run(*arguments, minutes=minutes)
        assert done.returncode == 0, f"hub {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @cached_property
    def shell_env(self) -> dict[str, str]:
        """What `eval "$(hub env)"` gives a shell, as long as the twin lives."""
        exports = self.ok("env")
        script = f"{exports}\nenv -0"
        shown = subprocess.run(
            ["bash", "-c", script], env=self.env, capture_output=True, text=True, check=True
        ).stdout
        return dict(pair.split("=", 1) for pair in shown.split("\0") if pair)

    def shell(self, line: str, minutes: float = 3) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line],
            cwd=ROOT,
            env=self.shell_env,
            capture_output=True,
            text=True,
            timeout=minutes * 60,
            check=False,
        )

    @property
    def services(self) -> list[dict[str, Any]]:
        """As Cloud Run's emulator lists them; unlike a request, this wakes no instance."""
        return system.services(TwinPaths(self.state)) or []

    @property
    def network(self) -> Network:
        """The running twin's; on a flat one the ends are all this machine."""
        paths = TwinPaths(self.state)
        mode = choose_mode(TwinSettings.of_running_twin(paths))
        pids = {record.name: record.pid for record in records(paths)}
        ends = ENDS if mode != "flat" else ()
        return Network(mode, {end: pids[f"net-{end}"] for end in ends})

    def up_with(self, old: str, new: str) -> subprocess.CompletedProcess[str]:
        """`pulumi up` with something else in the stack file."""
        stack, text = self.state / "changed.yaml", (ROOT / "Pulumi.twin.yaml").read_text()
        assert old in text
        stack.write_text(text.replace(old, new))
        up = f"pulumi up --yes --skip-preview --stack twin --config-file {stack}"
        return self.shell(up, minutes=8)

    def kubectl(self, *arguments: str) -> Any:
        """What `kubectl … -o json` says."""
        done = subprocess.run(
            ["kubectl", *arguments, "-o", "json"],
            env=self.shell_env,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return json.loads(done.stdout)

    def headscale(self, *arguments: str) -> Any:
        """What `headscale … -o json` says; nothing where it answers in prose all the same."""
        config = str(TwinPaths(self.state).headscale_config)
        done = subprocess.run(
            ["headscale", "--config", config, *arguments, "-o", "json"],
            env=self.shell_env,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else None

    def vllm_pods(self) -> list[dict[str, Any]]:
        return self.kubectl("-n", "vlm", "get", "pods", "-l", "app=vllm-qwen")["items"]

    def vllm_pod(self) -> dict[str, Any]:
        """The one that is there now; a restart of the node leaves those that it refused."""
        [pod] = [one for one in self.vllm_pods() if one["status"].get("phase") != "Failed"]
        return pod

    def api_keys(self) -> dict[str, str]:
        """As the last deployment left them; the engine is asked once after each."""
        [stack] = TwinPaths(self.state).pulumi_backend.glob(".pulumi/stacks/*/twin.json")
        deployed = stack.stat().st_mtime_ns
        if deployed not in self._api_keys:
            shown = self.shell("pulumi stack output --stack twin --json --show-secrets")
            self._api_keys[deployed] = json.loads(shown.stdout)["apiKeys"]
        return self._api_keys[deployed]

    @cached_property
    def _api_keys(self) -> dict[int, dict[str, str]]:
        """By the time of the deployment."""
        return {}

    @property
    def processes(self) -> dict[int, str]:
        """Names of the twin's processes, of whatever part, by their numbers."""
        found: dict[int, str] = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if self._owns(process):
                    found[process.pid] = process.name()
        return found

    def _owns(self, process: psutil.Process) -> bool:
        """By the twin's mark; or, as vLLM writes its processes' titles over their environment, by
        an open file of the twin's folder, removed or not.
        """
        if process.environ().get("HUB_TWIN") == str(self.state):
            return True
        for file in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                if file.readlink().is_relative_to(self.state):
                    return True
        return False

    def http(
        self, key: str, transport: type[httpx2.HTTPTransport] = httpx2.HTTPTransport
    ) -> httpx2.Client:
        return httpx2.Client(
            base_url=self.gateway,
            headers={"Authorization": f"Bearer {key}"},
            timeout=120,
            transport=transport(limits=ALL_KEPT),
        )


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Built by the first of the processes that test: `hub up` builds none beside another."""
    with (tmp_path_factory.getbasetemp().parent / "tools.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ensure(Console())


@pytest.fixture(scope="session")
def hub(tools: None) -> Iterator[HubUnderTest]:
    with temporary_twin() as twin:
        yield twin


@contextmanager
def temporary_twin(more: Mapping[str, str] | None = None) -> Generator[HubUnderTest]:
    """A running twin, with ``more`` in its environment.

    It is removed at the end, whatever happened, and nothing may be left of it.
    """
    state = Path(tempfile.mkdtemp(prefix="hub-"))
    gateway = free_port()
    env = {
        **os.environ,
        "HUB_STATE": str(state),
        "HUB_GATEWAY_PORT": str(gateway),
        "HUB_CLIENT_PORT": str(free_port()),
        "HUB_KUBERNETES_PORT": str(free_port()),
        "HUB_PROVIDERS_PORT": str(free_ports_in_a_row(4)),
        # Short, so that tests meet a gateway that was scaled to zero.
        "HUB_IDLE_SECONDS": "10",
        "COLUMNS": "200",
        **(more or {}),
    }
    under_test = HubUnderTest(state, env, f"http://127.0.0.1:{gateway}")
    try:
        sys.stdout.write(under_test.ok("up"))
        yield under_test
    finally:
        if (kept := os.environ.get("HUB_KEEP_LOGS")) and state.exists():
            shutil.copytree(state / "logs", kept, dirs_exist_ok=True)
        cleaned = under_test.run("clean")
        left, files = under_test.processes, state.exists()
        shutil.rmtree(state, ignore_errors=True)
    assert (cleaned.returncode, left, files) == (0, {}, False), cleaned.stderr
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{under_test.gateway}/health", timeout=5)
