"""A twin whose engine uses Pulumi's own providers, and both kinds of them for the scenario."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from tests.conformance.running import Providers
from tests.support.plugin_archives import download_server
from tests.support.ports import free_ports_in_a_row
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest, temporary_twin
from twin.listening import listens
from twin.toolchain.ensure import ensure, originals
from twin.toolchain.go_tools import KUBELET, PROVIDERS

START_SECONDS = 60
MAY_LAG = ("Service", "Ingress", "Deployment")
"""After an update the original believes the first event of its watch, without a look at the
generation that it has just made (``pkg/await/ingress.go``, ``service.go`` and ``deployment.go`` in
4.25.0). It may come from a cache of the API server that does not hold the update yet."""


@pytest.fixture(scope="session")
def originals_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all that the emulators are held against, built by the first of the tests' processes."""
    with (tmp_path_factory.getbasetemp().parent / "originals.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ensure(Console())
        return originals((*PROVIDERS, KUBELET), Console())


@pytest.fixture(scope="session")
def hub(originals_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubUnderTest]:
    """A twin that found the originals on its network: as plugins of the SDK's version."""
    names = ("kubernetes", "random")
    programs = {name: originals_folder / f"pulumi-resource-{name}" for name in names}
    with download_server(programs) as environment:
        home = tmp_path_factory.mktemp("pulumi")
        # 4.25.0 does not know the provider's setting of the same meaning.
        more = {"PULUMI_HOME": str(home), "PULUMI_K8S_ENABLE_PATCH_FORCE": "true"}
        with temporary_twin({**environment, **more}) as twin:
            yield twin


@pytest.fixture(scope="session")
def scenario(
    hub: HubUnderTest, originals_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Providers, Providers]:
    """Emulators and originals, each after the whole scenario on the same cluster."""
    folder, kubeconfig = tmp_path_factory.mktemp("scenario"), hub.state / "kubeconfig"
    path = hub.shell_env["PATH"]
    with emulators(hub.state) as attached:
        env = {**os.environ, "PATH": path, "PULUMI_DEBUG_PROVIDERS": attached}
        ours = Providers("emulators", env, folder / "emulators", kubeconfig)
        ours.run_scenario()
    env = {**os.environ, "PATH": f"{originals_folder}:{path}"}
    theirs = Providers("originals", env, folder / "originals", kubeconfig, may_lag=MAY_LAG)
    theirs.run_scenario()
    return ours, theirs


@contextmanager
def emulators(state: Path) -> Generator[str]:
    """Served on ports of their own; gives what attaches them to the engine."""
    port = free_ports_in_a_row(2)
    pairs = (f"kubernetes={port}", f"random={port + 1}")
    line = [sys.executable, "-m", "twin.providers", f"--state={state}", "--attach", *pairs]
    env = {**os.environ, "KUBECONFIG": str(state / "kubeconfig")}
    with subprocess.Popen(line, env=env) as process:
        try:
            until(
                lambda: all(listens(("127.0.0.1", p)) for p in (port, port + 1)),
                seconds=START_SECONDS,
            )
            yield ",".join(pair.replace("=", ":") for pair in pairs)
        finally:
            process.terminate()
