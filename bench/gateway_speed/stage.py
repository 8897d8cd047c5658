"""Everything that is measured, running: the upstream, the tailnet, all gateways."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.gateway_speed import names, others, ours
from bench.gateway_speed.candidate import KEY_ID, UPSTREAM_PORT, Candidate
from bench.gateway_speed.programs import HERE, Programs
from twin import lifecycle
from twin.errors import TwinError
from twin.network import Network
from twin.parts import system, tailnet
from twin.parts.part import Part, records, start, stop
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.toolchain.progress import Progress

ROOT = HERE.parents[1]
STOP_SECONDS = 5


@dataclass(frozen=True)
class Stage:
    network: Network
    folder: Path
    """For files that go with the run."""
    candidates: Sequence[Candidate]
    pids: Mapping[str, Sequence[int]]
    """Each gateway's processes, without their children."""
    way: Mapping[str, Sequence[int]]
    """Those that a request through the whole tunnel meets, by what they do."""

    @property
    def tunnel(self) -> Candidate:
        [found] = [one for one in self.candidates if one.name == names.TUNNEL]
        return found


@contextmanager
def running(programs: Programs, tools_path: str) -> Generator[Stage]:
    """Start all, check that each answers, and in the end stop all and delete what they wrote.

    Raises:
        TwinError: a program did not start, or a gateway does not answer as it must.
    """
    signal.signal(signal.SIGTERM, _leave)
    paths = TwinPaths(Path(tempfile.mkdtemp(prefix="speed-")))
    path = f"{programs.path}{os.pathsep}{tools_path}"
    settings, progress = TwinSettings.from_environment(), Progress(Console())
    try:
        with lifecycle.held(paths, settings, progress) as twin:
            network = twin.start_network(path)
            if network.mode == "flat":
                raise TwinError(
                    "The tunnel is measured between network namespaces, which this machine does "
                    "not allow; run the benchmark as root, or allow unprivileged user namespaces"
                )
            yield _all(network, programs, paths, path)
    finally:
        # One by one, because nginx overwrites the environment that a sweep knows a process by.
        for record in reversed(records(paths)):
            stop(record, paths, STOP_SECONDS)
        lifecycle.remove(paths)


def _leave(_number: int, _frame: object) -> None:
    """As Ctrl-C does, so that what was started is stopped."""
    raise KeyboardInterrupt


def _all(network: Network, programs: Programs, paths: TwinPaths, path: str) -> Stage:
    folder = paths.root / "bench"
    folder.mkdir()
    pids: dict[str, list[int]] = {}

    def started(candidate: Candidate) -> Candidate:
        pids[candidate.name] = [start(part, paths, path).pid for part in candidate.parts]
        print(f"  {candidate.name} is started", flush=True)
        return candidate

    upstream = start(_upstream(network), paths, path)
    tailnet.write_configuration(paths, network)
    homes = [start(part, paths, path) for part in system.tailnet_parts(paths, network, path)]
    tailnet.join_home(paths, network, path)
    traefik = start(ours.home(network, folder), paths, path)
    candidates = [
        started(Candidate(names.DIRECT, UPSTREAM_PORT)),
        started(others.nginx(network, programs, folder, UPSTREAM_PORT + 1)),
        started(others.haproxy(network, programs, folder, UPSTREAM_PORT + 2)),
        started(others.traefik(network, folder, UPSTREAM_PORT + 3)),
        started(ours.on_loopback(network, folder, UPSTREAM_PORT + 4)),
        started(ours.through_the_tunnel(network, paths, path, folder)),
        *(
            started(others.litellm(network, programs, paths, UPSTREAM_PORT + 5 + workers, workers))
            for workers in (1, 2)
        ),
    ]
    for candidate in candidates:
        _check(network, candidate)
    tailscale, caddys = pids[names.TUNNEL]
    way = {
        "the gateway's two Caddys": [caddys],
        "the gateway's Tailscale": [tailscale],
        "home's Tailscale": [part.pid for part in homes if part.name == "home-tailscaled"],
        "home's Traefik": [traefik.pid],
        "the upstream": [upstream.pid],
    }
    return Stage(network, folder, candidates, pids, way)


def _upstream(network: Network) -> Part:
    return Part(
        name="upstream",
        argv=network.at("home", "upstream", f"127.0.0.1:{UPSTREAM_PORT}"),
        is_ready=lambda: network.accepts("home", UPSTREAM_PORT),
    )


def _check(network: Network, candidate: Candidate) -> None:
    key_id = (KEY_ID,) if candidate.name != names.DIRECT else ()
    module = (sys.executable, "-m", "bench.gateway_speed.check")
    done = subprocess.run(
        network.at(candidate.end, *module, candidate.url, candidate.key, *key_id),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise TwinError(f"{candidate.name} cannot be measured: {done.stderr}")
    print(f"  {candidate.name} answers as it must", flush=True)
