"""A whole Debian that boots: its own systemd is the first process, and its power can be cut.

Its processes, mounts and control groups are its own, and its network is home's place in a tailnet,
which it joins with Tailscale's programs. Stand-ins are left for its disk, the settings of its
network adapter, its GPU, and K3s.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Event, Thread

import psutil
import pytest

from hub.home.machine import Machine
from tests.support.debian_server import PATH, DebianServer, debian_server
from tests.support.own_tailnet import Tailnet
from tests.support.waiting import until
from twin.containers.container import end_with_parent

BOOT = Path(__file__).with_name("boot.sh")
SECONDS = 60
"""For a boot, or a power cut, on a busy machine; a quiet one takes four."""
REALLY = ("ip", "systemctl", "tailscale")
"""What the booted system does itself, unnoted."""
SPACES = ("--mount", "--root", "--pid", "--net", "--cgroup", "--ipc", "--uts")
_UNSHARE = (
    *("unshare", "--mount", "--propagation", "private", "--pid", "--cgroup", "--ipc", "--uts"),
    *("--fork", "--kill-child"),
)


class BootedServer(DebianServer):
    """Off until ``switch_on``."""

    def __init__(self, root: Path, tailnet: Tailnet) -> None:
        super().__init__(root)
        self._tailnet = tailnet
        self._outer: subprocess.Popen[bytes] | None = None
        """What its namespaces were made for, while it is on."""
        self._first: psutil.Process | None = None
        """Its systemd, once it has begun."""

    def machine(self, came_from: str = "") -> Machine:
        assert self._first is not None, "it is off"
        env = ("env", "-C", "/", "-i", f"PATH={PATH}")
        return Machine(("nsenter", f"--target={self._first.pid}", *SPACES, "--", *env, "sh", "-s"))

    def switch_on(self) -> None:
        """Return once systemd runs; ``unit`` tells what it has started."""
        self._group = Path(mkdtemp(prefix="hub-", dir=_control_groups()))
        line = self._tailnet.network.at("home", *_UNSHARE, "sh", str(BOOT), str(self.root))
        with (self.root.parent / "console").open("ab") as console:
            self._outer = subprocess.Popen(
                ("sh", "-c", 'echo 0 >"$0" && exec "$@"', f"{self._group}/cgroup.procs", *line),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                preexec_fn=end_with_parent,  # noqa: PLW1509  # no thread runs then
            )
        until(self._has_begun, seconds=SECONDS)

    def _has_begun(self) -> bool:
        """Whether systemd takes commands."""
        assert self._outer is not None
        assert self._outer.poll() is None, (self.root.parent / "console").read_text()
        booting = psutil.Process(self._outer.pid).children()
        if [one.name() for one in booting] != ["systemd"]:
            return False
        [self._first] = booting
        return Path(f"/proc/{self._first.pid}/root/run/systemd/private").exists()

    def cut_the_power(self) -> None:
        assert self._first is not None, "it is off"
        self._first.kill()
        self.goes_off()

    def goes_off(self, seconds: float = SECONDS) -> None:
        """Return once all its processes have ended."""
        assert self._outer is not None, "it is off"
        self._outer.wait(seconds)
        self._outer = self._first = None
        for folder, _, _ in os.walk(self._group, topdown=False):
            Path(folder).rmdir()

    def end(self) -> None:
        """Whatever it is doing, and however far it has come."""
        if self._outer is not None:
            (self._first or self._outer).kill()
            self.goes_off()

    def unit(self, name: str, what: str = "ActiveState") -> str:
        """A property of a unit, as systemd tells it."""
        [value] = self.asked(f"systemctl show --property={what} --value {name}") or [""]
        return value


@contextmanager
def booted_server(root: Path, tailnet: Tailnet) -> Generator[BootedServer]:
    """One that has booted once, without Tailscale and K3s."""
    if not Path("/dev/net/tun").exists():
        pytest.skip("needs /dev/net/tun")
    debian_server(root)
    for name in REALLY:
        (root / "standin" / name).unlink(missing_ok=True)
    for name in ("tailscale", "tailscaled"):
        program = shutil.which(name, path=tailnet.path)
        assert program
        shutil.copy(program, root / "standin" / name)
    _stand_in_for_ethtool(root)
    server = BootedServer(root, tailnet)
    try:
        server.switch_on()
        yield server
    finally:
        server.end()


def _stand_in_for_ethtool(root: Path) -> None:
    """A unit calls it by its path, and no adapter of a namespace can wake anybody."""
    for path in ("/sbin/ethtool", "/usr/sbin/ethtool"):  # releases differ in what they call it
        words = ("--local", "--no-rename", "--divert", f"{path}.real", "--add", path)
        subprocess.run(("chroot", root, "dpkg-divert", "--quiet", *words), check=True)
    (root / "usr/sbin/ethtool").symlink_to("/standin/ethtool")


@contextmanager
def who_opens_links(server: BootedServer, tailnet: Tailnet) -> Generator[list[str]]:
    """A person at home: each link that Tailscale shows is opened once; those are yielded."""
    opened: list[str] = []
    ended = Event()

    def open_them() -> None:
        while not ended.wait(0.2):
            told = server.asked("tailscale status --json 2>/dev/null || true")
            link = json.loads("\n".join(told) or "{}").get("AuthURL")
            if link and link not in opened:
                opened.append(link)
                tailnet.let_in(link)

    person = Thread(target=open_them)
    person.start()
    try:
        yield opened
    finally:
        ended.set()
        person.join()


def _control_groups() -> Path:
    """Where version 2 of them is mounted; beside version 1 it has no controllers, nor needs any."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    pytest.skip("needs control groups of version 2")
