"""Start groups of the twin's parts, stop the cloud's side of them, remove everything.

Each step looks first at what already runs, so an interrupted start is taken up where it was.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.home_k3s.names import MODEL_CACHE
from twin import network as networks
from twin.errors import TwinError
from twin.model import checkpoint
from twin.network import ENDS, End, Network
from twin.node import k3s_objects
from twin.parts import control_plane, system, tailnet
from twin.parts.part import Part, Record, end_strays, records, recovers, start, stop, sweep
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.toolchain import vllm
from twin.toolchain.progress import Progress
from twin.toolchain.toolchain import Toolchain

CLOUD_PARTS = ("client", "cloud-run", "providers")
"""What `hub down` stops after the destroy, in this order; the rest is home and the tailnet."""

LONGEST_STATE_PATH = 80
"""So that the longest socket below it stays within 107 bytes."""
CONTAINER_RUNNERS = ("cloud-run", "node")


@dataclass(frozen=True)
class Twin:
    """A twin whose state folder this process holds the lock of."""

    paths: TwinPaths
    settings: TwinSettings
    progress: Progress

    def clean_up_after_a_killed_command(self) -> None:
        """End what an earlier, killed command of this twin left half-way; say what it was."""
        for name in end_strays(self.paths):
            self.progress.say(f"  ended a process left by an interrupted run: {name}")
        for record in records(self.paths):
            if record.process is None:
                self.progress.say(f"  {record.name} had ended; starting it again")
                stop(record, self.paths)

    def start_network(self, path: str) -> Network:
        """The namespaces and the wires between them."""
        mode = networks.choose_mode(self.settings)
        holders: dict[End, int] = {}
        if mode != "flat":
            for end in ENDS:
                record = self._ensure(networks.holder(end, mode, holders), path)
                networks.await_holder(record.pid)
                holders[end] = record.pid
        network = Network(mode, holders)
        networks.connect(network)
        return network

    def start_tailnet_and_home(self, network: Network, tools: Toolchain) -> str:
        """From the control server to Traefik; returns home's tailnet address."""
        paths, port = self.paths, self.settings.kubernetes_port
        tailnet.write_configuration(paths, network)
        for part in system.tailnet_parts(paths, network, tools.path):
            self._ensure(part, tools.path)
        address = tailnet.home_address(paths, tools.path)
        if address is None:
            address = tailnet.join_home(paths, network, tools.path)
        control_plane.write_credentials(paths, network, port)
        for part in control_plane.parts(paths, network, port):
            self._ensure(part, tools.path)
        asyncio.run(k3s_objects.apply(paths.kubeconfig))
        volume = paths.of_the_node(MODEL_CACHE)
        checkpoint.seed(volume / "huggingface")
        vllm.seed(tools.vllm_python, volume / "vllm")
        node_ip = networks.node_address(network)
        for part in system.home_parts(paths, network, tools, node_ip):
            self._ensure(part, tools.path)
        return address

    def start_cloud(self, network: Network, path: str) -> None:
        for part in system.cloud_parts(self.paths, network, self.settings):
            self._ensure(part, path)

    def start_providers(self, emulated: dict[str, int], path: str) -> None:
        if emulated:
            self._ensure(system.providers(self.paths, emulated), path)

    def start_client(self, key: str, path: str) -> None:
        self._ensure(system.client(self.settings, key), path)

    def stop_cloud(self) -> None:
        known = {record.name: record for record in records(self.paths)}
        for name in CLOUD_PARTS:
            if name in known:
                stop(known[name], self.paths, seconds=20)

    def _ensure(self, part: Part, path: str) -> Record:
        """A part that runs as wanted is left alone; one that runs otherwise is started anew."""
        for record in records(self.paths):
            if record.name == part.name and record.process is not None:
                as_wanted = record.fingerprint == part.fingerprint and record.state == "running"
                if as_wanted and recovers(part):
                    return record
                self.progress.say(f"  {part.name} is not as it should be; starting it again")
                stop(record, self.paths, part.stop_seconds)
        with self.progress.step(part.name, 5):
            return start(part, self.paths, path)


@contextmanager
def locked(paths: TwinPaths) -> Generator[None]:
    """One command at a time works on a twin.

    Raises:
        TwinError: another command works on the same twin, or the folder is not a twin's.
    """
    if len(str(paths.root)) > LONGEST_STATE_PATH:
        raise TwinError(f"{paths.root} is too long a path for unix sockets; set HUB_STATE shorter")
    if paths.root.exists():
        refuse_what_is_no_twin(paths)
    for folder in _made_first(paths):
        folder.mkdir(parents=True, exist_ok=True)
    paths.root.chmod(0o700)
    with paths.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TwinError("Another hub command works on this twin; wait for it to end") from None
        yield


def _made_first(paths: TwinPaths) -> tuple[Path, ...]:
    return (paths.parts, paths.logs, paths.sockets, paths.host_paths)


def refuse_what_is_no_twin(paths: TwinPaths) -> None:
    """Keep `hub up` and `hub clean` away from a folder with other files, such as ``$HOME``.

    Raises:
        TwinError: no twin was ever started in it.
    """
    # Killed before it made its lock, `hub up` leaves some of these and nothing else.
    is_begun = set(paths.root.iterdir()) <= set(_made_first(paths))
    if not is_begun and not (paths.lock.is_file() and paths.parts.is_dir()):
        raise TwinError(
            f"{paths.root} is no twin's folder: it has no {paths.lock.name} and no "
            f"{paths.parts.name}, which `hub up` makes first. Nothing in it was changed. Set "
            "HUB_STATE to a twin's folder, or to one that does not exist yet."
        )


def remove(paths: TwinPaths) -> list[str]:
    """End every process of the twin and delete its state; the names of what was ended.

    Raises:
        TwinError: the folder is not a twin's.
    """
    refuse_what_is_no_twin(paths)
    for record in records(paths):
        if record.name in CONTAINER_RUNNERS:
            stop(record, paths, seconds=20)  # they end their containers themselves
    ended = sweep(paths)
    for entry in paths.root.iterdir():
        # What shows that it is a twin's goes last, so that an interrupted removal can go on.
        if entry not in (paths.lock, paths.parts):
            shutil.rmtree(entry, ignore_errors=True)
    shutil.rmtree(paths.root, ignore_errors=True)
    return ended
