"""A home server that is a folder: real shell and core utilities, stand-ins for what changes it.

The scripts run as root of a user namespace, below a `chroot`, so that every path is the server's.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from hub.home import carry_out, commands
from hub.home.machine import Machine
from hub.home.steps import Step

STANDIN = Path(__file__).with_suffix(".sh")
OF_K3S = tuple(
    map(STANDIN.with_name, ("home_k3s_installer.sh", "home_k3s.service", "home_k3s.yaml"))
)
PROGRAMS = (
    *("apt-get", "curl", "df", "dpkg", "dpkg-query", "ethtool", "ip", "modinfo", "mokutil"),
    *("nvidia-smi", "openssl", "sync", "systemctl", "timeout"),
)
FOLDERS = (
    *("dev", "etc/apt/sources.list.d", "etc/systemd/system", "run/lock", "standin", "tmp"),
    *("state/active", "state/enabled", "state/masked", "state/packages"),
    *("sys/class/net/enp5s0", "sys/module/nvidia", "usr/local/bin", "usr/share/keyrings"),
    *("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "var/lib", "var/log"),
)
FILES = {
    "etc/os-release": 'ID=ubuntu\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n',
    "state/free": "  812   31%\n",
    "state/gpu": "580.95.05, NVIDIA GeForce RTX 3090\n",
    "state/module-file": "580.95.05\n",
    "state/secure-boot": "SecureBoot disabled\n",
    "state/wake-on": "d\n",
    "sys/class/net/enp5s0/address": "04:42:1a:00:00:01\n",
    "sys/module/nvidia/version": "580.95.05\n",
}


def install(server: Server, control_url: str | None = None) -> None:
    carry_out.install(server.machine(), control_url, _quietly)


def uninstall(server: Server) -> None:
    carry_out.uninstall(server.machine(), _quietly)


def _quietly(_: Step) -> None:
    pass


def installation(distribution: str, codename: str) -> list[str]:
    """Each change of a fresh server, in order, as the stand-ins note it."""
    apt = "apt-get -o DPkg::Lock::Timeout=300"
    return [
        "systemctl mask sleep.target suspend.target hibernate.target hybrid-sleep.target",
        f"{apt} update",
        f"{apt} install -y curl ethtool",
        (
            "curl -fsSL https://nvidia.github.io/libnvidia-container/gpgkey"
            " -o /usr/share/keyrings/nvidia-container-toolkit.asc.new"
        ),
        f"{apt} update",
        f"{apt} install -y nvidia-container-toolkit",
        (
            f"curl -fsSL https://pkgs.tailscale.com/stable/{distribution}/{codename}.noarmor.gpg"
            " -o /usr/share/keyrings/tailscale-archive-keyring.gpg.new"
        ),
        f"{apt} update",
        f"{apt} install -y tailscale",
        "tailscale up --hostname=home --advertise-tags=tag:llm-home --timeout=600s",
        "systemctl daemon-reload",
        "systemctl enable home-wake-on-lan.service",
        "systemctl restart home-wake-on-lan.service",
        "systemctl daemon-reload",
        (
            "curl -fsSL https://raw.githubusercontent.com/k3s-io/k3s/v1.36.4%2Bk3s1/install.sh"
            " -o /run/k3s-install.sh"
        ),
        "k3s is placed",
        "k3s installs v1.36.4+k3s1",
        "k3s kubectl wait --for=condition=Ready node/home --timeout=60s",
    ]


_ENTER = """
set -e
cd "$1"
for folder in usr/bin usr/sbin usr/lib usr/lib64 dev; do
	[ ! -d "/$folder" ] || mount --rbind "/$folder" "$folder"
done
exec env -i SSH_CONNECTION="$2" PATH=/standin:/usr/local/bin:/usr/sbin:/usr/bin \
	/usr/sbin/chroot . sh -s
"""
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount", "--propagation", "slave")


def namespaces_work() -> bool:
    """Whether this machine lets an ordinary user have a root of their own."""
    if not shutil.which("unshare"):
        return False
    bind = ("mount", "--rbind", "/usr/bin", "/usr/bin")
    return subprocess.run([*_UNSHARE, *bind], capture_output=True, check=False).returncode == 0


class Server:
    """One in a folder; tests look at it and change it below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def copy(self, root: Path) -> Server:
        """Another one in the same state."""
        shutil.copytree(self.root, root, symlinks=True)
        return Server(root)

    def machine(self, came_from: str = "") -> Machine:
        connection = f"{came_from} 50022 192.168.0.7 22" if came_from else ""
        return Machine((*_UNSHARE, "/bin/sh", "-c", _ENTER, "enter", str(self.root), connection))

    def stands_for_each_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`hub home` reaches this one, whatever ``--host`` it is given."""

        def over(host: str | None) -> Machine:
            return self.machine()

        monkeypatch.setattr(commands, "machine", over)

    def die_at(self, change: int | str, *, late: bool) -> None:
        """Kill the script at this change, by its words or counted from now."""
        self.live_on()
        (self.root / "state/die-at").write_text(str(change))
        if late:
            (self.root / "state/die-late").touch()

    def live_on(self) -> None:
        for name in ("changes", "die-at", "die-late"):
            (self.root / "state" / name).unlink(missing_ok=True)

    @property
    def moments(self) -> int:
        """How often it could have been killed until now."""
        noted = self.root / "state/changes"
        return len(noted.read_text().splitlines()) if noted.exists() else 0

    def changes(self) -> list[str]:
        """Each call of a program that changed something, but for files that are written."""
        if not self.moments:
            return []
        lines = (self.root / "state/changes").read_text().splitlines()
        return [line for line in lines if not line.startswith("sync ")]

    def calls(self, *programs: str) -> list[str]:
        """Each call of one of these, also of those that only look."""
        lines = (self.root / "state/calls").read_text().splitlines()
        return [line for line in lines if line.startswith(programs)]

    def tree(self) -> dict[str, str]:
        """All that is on it, path to content and mode; folders too."""
        left_out = {"calls", "changes", "die-at", "die-late", "personal-cloud-hub"}
        found: dict[str, str] = {}
        for top in ("etc", "state", "usr/local", "usr/share", "var"):
            for path in sorted((self.root / top).rglob("*")):
                if (path.name not in left_out or path.is_dir()) and not path.is_symlink():
                    mode = f"{path.stat().st_mode:o}"
                    text = "" if path.is_dir() else path.read_text()
                    found[str(path.relative_to(self.root))] = f"{mode} {text}"
        return found


def fresh_server(root: Path) -> Server:
    """A server without Tailscale and K3s, whose driver works."""
    if not namespaces_work():
        pytest.skip("needs user namespaces (unshare --user --mount)")
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
    for name, text in FILES.items():
        (root / name).write_text(text)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    # Debian's awk is a link there.
    (root / "etc/alternatives").mkdir()
    (root / "etc/alternatives/awk").symlink_to(
        Path(shutil.which("awk") or "/usr/bin/mawk").resolve()
    )
    place_standins(root, PROGRAMS)
    return Server(root)


def place_standins(root: Path, programs: Iterable[str]) -> None:
    """One script, by the names of these programs, and what K3s brings."""
    shutil.copy(STANDIN, root / "standin/any")
    (root / "standin/any").chmod(0o755)
    for file in OF_K3S:
        shutil.copy(file, root / "standin")
    for name in programs:
        (root / "standin" / name).symlink_to("any")


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return fresh_server(tmp_path / "server")
