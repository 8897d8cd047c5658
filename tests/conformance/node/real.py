"""A real node in place of a twin's emulated one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console

from infra.home_k3s.names import MODEL_CACHE
from tests.conformance.node import images
from tests.conformance.node.machine import KERNEL_SETTINGS, OF_THE_NETWORK, PAUSE, Machine
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from twin.engine import ROOT
from twin.network import NODE_ADDRESS
from twin.node.pod_network import BRIDGE, NODE_CIDR
from twin.parts.control_plane import SERVICE_CIDR
from twin.parts.part import records
from twin.paths import TwinPaths, cache_dir
from twin.toolchain import debian
from twin.toolchain.ensure import ensure

DEBIAN = (
    *("containerd", "runc", "containernetworking-plugins", "iptables", "ipset"),
    *("libip4tc2", "libip6tc2", "libipset13", "libmnl0", "libnetfilter-conntrack3"),
    *("libnfnetlink0", "libnftnl11", "libseccomp2", "libxtables12"),
)
IPTABLES = ("iptables", "iptables-save", "iptables-restore")
NODE = "home"
CONTROL_GROUPS = Path("/sys/fs/cgroup")
FIXED_PLACES = (
    *("/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/log/pods"),
    *("/var/log/containers", "/run/containerd", "/run/netns", "/run/xtables.lock"),
)
START_SECONDS = 120
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Even if the tests are killed, and with what is started through it."""


@dataclass
class RealNode:
    """A machine that can be switched on, and loses its power."""

    hub: HubUnderTest
    machine: Machine
    holder: int
    """The process whose mounts have the machine's disk."""
    _process: subprocess.Popen[bytes] | None = None

    def switch_on(self) -> None:
        """Return when its kubelet has been heard."""
        subprocess.run(self.hub.network.at("home", "ip", "link", "del", BRIDGE), check=False)
        _make_control_group(self.machine.control_group)
        disk = ("nsenter", f"--target={self.holder}", "--mount", "--")
        private = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        program = (sys.executable, "-m", "tests.conformance.node.machine")
        line = (*disk, *private, *program, str(self.machine.written()))
        begun, log = datetime.now(UTC), Path(self.machine.folder) / "machine.log"
        env = {**self.hub.env, "PYTHONPATH": str(ROOT)}  # in other mounts it begins at the root
        with log.open("wb") as file:
            node = subprocess.Popen(
                (*ENDS_WITH_US, *self.hub.network.at("home", *line)),
                env=env,
                stdout=file,
                stderr=file,
            )
        self._process = node
        until(lambda: _is_ready(self.hub, begun) or node.poll() is not None, seconds=START_SECONDS)
        assert node.poll() is None, log.read_text()

    def lose_power(self) -> None:
        """Everything on it ends at once; what is on its disk stays."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        _remove_control_group(self.machine.control_group)


@contextmanager
def real_node(hub: HubUnderTest, built: Path, names: Sequence[str]) -> Generator[RealNode]:
    """Stop the twin's node and run a real one, with images of these names.

    ``built`` is the folder of the kubelet and what is built with it.

    Nothing of it is left at the end, and the machine is as before; the twin has no node then.
    """
    paths, before = TwinPaths(hub.state), _this_machine()
    folder = Path(tempfile.mkdtemp(prefix="hub-node-"))
    machine = _machine(hub, folder, built, names)
    [emulated] = [one for one in records(paths) if one.name == "node"]
    process = psutil.Process(emulated.pid)
    process.terminate()
    process.wait(60)
    try:
        with _disk(machine.disk) as holder:
            node = RealNode(hub, machine, holder)
            try:
                node.switch_on()
                yield node
            finally:
                node.lose_power()
    finally:
        if kept := os.environ.get("HUB_KEEP_LOGS"):
            for log in folder.glob("*.log"):
                shutil.copy(log, Path(kept) / f"{folder.name}-{log.name}")
        shutil.rmtree(folder)
    assert _this_machine() == before


@contextmanager
def _disk(folder: str) -> Generator[int]:
    """A file system in memory, mounted for one process and those that share its mounts.

    An image's layers cannot lie on a file system that is itself made of layers.
    """
    script = f"mount -t tmpfs tmpfs {folder} && echo && exec sleep infinity"
    line = (*ENDS_WITH_US, "unshare", "--mount", "sh", "-c", script)
    with subprocess.Popen(line, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline(), f"no file system could be mounted at {folder}"
        try:
            yield holder.pid
        finally:
            holder.kill()


def _this_machine() -> dict[str, str]:
    """What a kubelet and a container runtime would change on it."""
    names = (*KERNEL_SETTINGS, *OF_THE_NETWORK)
    settings = {name: Path(f"/proc/sys/{name}").read_text() for name in names}
    folders = {place: str(Path(place).exists()) for place in FIXED_PLACES}
    return {**settings, **folders, "mounts": Path("/proc/self/mounts").read_text()}


def _machine(hub: HubUnderTest, folder: Path, built: Path, names: Sequence[str]) -> Machine:
    tools, unpacked = ensure(Console()), debian.unpacked("conformance-debian", DEBIAN)
    disk = folder / "disk"
    disk.mkdir()
    programs = folder / "programs"
    programs.mkdir()
    [sbin, _] = unpacked.programs
    for name in IPTABLES:
        (programs / name).symlink_to(sbin / "xtables-nft-multi")
    env = {
        **os.environ,
        **unpacked.environment,
        "PATH": os.pathsep.join(map(str, (programs, built, *unpacked.programs, tools.path))),
        "XTABLES_LIBDIR": f"{unpacked.environment['LD_LIBRARY_PATH']}/xtables",
    }
    python = (Path(sys.prefix), Path(sys.base_prefix))
    runtimes = {
        "runc": _runtime(folder / "runc.py", sbin / "runc", *python),
        "nvidia": _runtime(folder / "nvidia.py", sbin / "runc", *python, cache_dir()),
    }
    archive = folder / "images.tar"
    by_name = {
        name: images.local(
            name, vllm_python=tools.vllm_python, device_plugin=built / "device-plugin"
        )
        for name in (PAUSE, *names)
    }
    images.archive(archive, by_name, tools.path)
    return Machine(
        folder=str(folder),
        disk=str(disk),
        node=NODE,
        ip=NODE_ADDRESS,
        pods=str(NODE_CIDR),
        services=SERVICE_CIDR,
        kubeconfig=str(hub.state / "kubeconfig"),
        control_group=f"/{folder.name}",
        model_cache=str(TwinPaths(hub.state).of_the_node(MODEL_CACHE)),
        cni=str(unpacked.folder / "usr/lib/cni"),
        images=str(archive),
        runtimes=runtimes,
        environment=env,
    )


def _runtime(wrapper: Path, runc: Path, *programs: Path) -> str:
    """Write a runtime whose containers have some programs."""
    source = Path(__file__).with_name("runtime.py").read_text()
    wrapper.write_text(f"#!{sys.executable}\n{source}")
    wrapper.chmod(0o755)
    known = {"runc": str(runc), "folders": [str(one) for one in images.mounted(*programs)]}
    wrapper.with_suffix(".json").write_text(json.dumps(known))
    return str(wrapper)


def _is_ready(hub: HubUnderTest, since: datetime) -> bool:
    """Whether a real kubelet has reported a ready node since then."""
    status = hub.kubectl("get", "node", NODE)["status"]
    if not status["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://"):
        return False
    [ready] = [one for one in status["conditions"] if one["type"] == "Ready"]
    heard = datetime.fromisoformat(ready["lastHeartbeatTime"])
    return ready["status"] == "True" and heard >= since.replace(microsecond=0)


def _hierarchies() -> list[Path]:
    """Of the control groups: one for each controller in version 1, else one for all."""
    if (CONTROL_GROUPS / "cgroup.controllers").exists():
        return [CONTROL_GROUPS]
    return [one for one in CONTROL_GROUPS.iterdir() if one.is_dir() and not one.is_symlink()]


def _make_control_group(name: str) -> None:
    for hierarchy in _hierarchies():
        group = hierarchy / name.lstrip("/")
        group.mkdir()
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (group / setting).exists() and not (group / setting).read_text().strip():
                (group / setting).write_text((hierarchy / setting).read_text())


def _remove_control_group(name: str) -> None:
    """The kernel takes its time to let go of the processes that have ended."""

    def gone() -> bool:
        for hierarchy in _hierarchies():
            top = hierarchy / name.lstrip("/")
            for group in sorted((Path(folder) for folder, _, _ in os.walk(top)), reverse=True):
                try:
                    group.rmdir()
                except OSError:
                    return False
        return True

    until(gone)
