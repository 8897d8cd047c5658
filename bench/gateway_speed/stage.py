"""Everything that is measured, running: the upstream, the tailnet, all gateways."""

from __future__ import annotations

import json
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
class Place:
    """Namespaces of a run's own, and where its programs are and write."""

    network: Network
    paths: TwinPaths
    path: str

    @property
    def folder(self) -> Path:
        """For what belongs to no program of the twin."""
        return self.paths.root / "bench"

    def start(self, part: Part) -> int:
        """Its process."""
        return start(part, self.paths, self.path).pid

    def stop(self, name: str) -> None:
        [record] = [one for one in records(self.paths) if one.name == name]
        stop(record, self.paths, STOP_SECONDS)


@dataclass(frozen=True)
class Stage:
    place: Place
    candidates: Sequence[Candidate]
    pids: Mapping[str, Sequence[int]]
    """Each gateway's processes, without their children."""
    way: Mapping[str, Sequence[int]]
    """Those that a request through the whole tunnel meets, by what they do."""
    front: Mapping[str, Sequence[int]]
    """Those that it meets before, where the twin's user asks."""

    def named(self, name: str) -> Candidate:
        [found] = [one for one in self.candidates if one.name == name]
        return found


@contextmanager
def running(programs: Programs, tools_path: str) -> Generator[Stage]:
    """Start all, check that each answers, and in the end stop all and delete what they wrote.

    Raises:
        TwinError: a program did not start, or a gateway does not answer as it must.
    """
    with namespaces(programs, tools_path) as place:
        yield _all(place, programs)


@contextmanager
def namespaces(programs: Programs, tools_path: str) -> Generator[Place]:
    """An empty network; in the end what was started there is stopped, and its files are deleted.

    Raises:
        TwinError: the machine allows no namespaces.
    """
    signal.signal(signal.SIGTERM, _leave)
    paths = TwinPaths(Path(tempfile.mkdtemp(prefix="speed-")))
    path = f"{programs.path}{os.pathsep}{tools_path}"
    settings, progress = TwinSettings.from_environment(), Progress(Console())
    try:
        with lifecycle.locked(paths):
            network = lifecycle.Twin(paths, settings, progress).start_network(path)
            if network.mode == "flat":
                raise TwinError(
                    "The tunnel is measured between network namespaces, which this machine does "
                    "not allow; run the benchmark as root, or allow unprivileged user namespaces"
                )
            place = Place(network, paths, path)
            place.folder.mkdir()
            yield place
    finally:
        # One by one, because nginx overwrites the environment that a sweep knows a process by.
        for record in reversed(records(paths)):
            stop(record, paths, STOP_SECONDS)
        lifecycle.remove(paths)


def _leave(_number: int, _frame: object) -> None:
    """As Ctrl-C does, so that what was started is stopped."""
    raise KeyboardInterrupt


def home_of(place: Place) -> Mapping[str, int]:
    """Start the upstream, the tailnet and home's Traefik: their processes, by what they do."""
    upstream = place.start(_upstream(place.network))
    tailnet.write_configuration(place.paths, place.network)
    _open_upstream(place.paths.headscale / "policy.json")
    parts = system.tailnet_parts(place.paths, place.network, place.path)
    started = {part.name: place.start(part) for part in parts}
    tailnet.join_home(place.paths, place.network, place.path)
    return {
        "home's Tailscale": started["home-tailscaled"],
        "home's Traefik": place.start(ours.home(place.network, place.folder)),
        "the upstream": upstream,
    }


def _open_upstream(policy: Path) -> None:
    """Let the gateway ask the upstream without Traefik; the program's policy does not."""
    rules = json.loads(policy.read_text())
    rules["grants"][0]["ip"].append(f"tcp:{UPSTREAM_PORT}")
    policy.write_text(json.dumps(rules))


def _all(place: Place, programs: Programs) -> Stage:
    network, folder = place.network, place.folder
    pids, helpers = dict[str, list[int]](), dict[str, int]()

    def started(candidate: Candidate) -> Candidate:
        pids[candidate.name] = [place.start(part) for part in candidate.parts]
        helpers.update({part.name: place.start(part) for part in candidate.helpers})
        print(f"  {candidate.name} is started", flush=True)
        return candidate

    home = home_of(place)
    candidates = [
        started(Candidate(names.DIRECT, UPSTREAM_PORT)),
        started(others.nginx(network, programs, folder, UPSTREAM_PORT + 1)),
        started(others.haproxy(network, programs, folder, UPSTREAM_PORT + 2)),
        started(others.traefik(network, folder, UPSTREAM_PORT + 3)),
        started(ours.one_caddy(network, folder, UPSTREAM_PORT + 8)),
        started(ours.on_loopback(network, folder, UPSTREAM_PORT + 4)),
        started(ours.through_the_tunnel(network, place.paths, place.path, folder)),
        started(ours.bare_tunnel(network, UPSTREAM_PORT + 1)),
        started(ours.emulated(network, place.paths, UPSTREAM_PORT + 3)),
        *(
            started(others.litellm(network, programs, place.paths, port, workers))
            for port, workers in ((UPSTREAM_PORT + 6, 1), (UPSTREAM_PORT + 7, 2))
        ),
    ]
    for candidate in candidates:
        check(network, candidate)
    tailscale, caddys = pids[names.TUNNEL]
    way = {
        "the gateway's two Caddys": [caddys],
        "the gateway's Tailscale": [tailscale],
        **{what: [pid] for what, pid in home.items()},
    }
    front = {"the twin's front": [helpers[ours.FRONT]]}
    return Stage(place, candidates, pids, way, front)


def _upstream(network: Network) -> Part:
    return Part(
        name="upstream",
        argv=network.at("home", "upstream", f":{UPSTREAM_PORT}"),
        is_ready=lambda: network.accepts("home", UPSTREAM_PORT),
    )


def check(network: Network, candidate: Candidate) -> None:
    """One question with its key, and one with another.

    Raises:
        TwinError: an answer is not as it must be.
    """
    key_id = () if candidate.name in (names.DIRECT, names.BARE_TUNNEL) else (KEY_ID,)
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
