"""A home server that is a whole Debian or Ubuntu in a folder: its own shell, apt, dpkg, systemctl.

It is of the machine's own release, and made by debootstrap from the machine's own mirror. Stand-ins
are there for what cannot be had (``PROGRAMS``, packages of Tailscale and NVIDIA, K3s), and for a
running systemd: units are enabled and masked by the real ``systemctl``, and started by nobody.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.home.files import NVIDIA_PACKAGES, TAILSCALE_PACKAGES
from hub.home.machine import Machine
from hub.home.requirements import SYSTEMS
from hub.home.steps import NVIDIA_KEY, tailscale_key
from tests.support import debian_packages
from tests.support.debian_packages import index, signer, write
from tests.support.home_facts import facts
from tests.support.home_server import FILES, Server, place_standins
from twin.errors import TwinError
from twin.paths import cache_dir
from twin.toolchain import debian

PROGRAMS = ("curl", "df", "ethtool", "ip", "modinfo", "mokutil", "nvidia-smi", "tailscale")
"""The disk, the network and the GPU of the machine are not a home server's."""
REAL = ("apt-get", "dpkg", "sync", "systemctl")
"""Each call is noted, and then the real one does it."""
METHOD = Path(__file__).with_name("apt_https.sh")
DISTRIBUTION = "distribution.invalid"
ALWAYS = (
    *("ca-certificates", "iproute2", "netbase", "openssh-server", "python3", "sudo", "systemd"),
)
"""What the smallest system lacks, and every server has."""
WANTED = ("curl", "ethtool", "iptables")
"""Of the distribution, by `hub home install` and by what it installs."""
NOT_COMPARED = (
    "var/cache/",  # apt's packages and their index, ldconfig's and debconf's
    "var/lib/apt/lists/",  # what the repositories had to offer
    "var/lib/apt/extended_states",  # who asked for a package: apt-mark is asked
    "var/log/",  # what was done when, which stays true
    "var/lib/dpkg/",  # in another order, and as it was before the last change; dpkg is asked
    "run/",  # gone at the next boot
    *("dev/", "proc/", "standin/", "state/"),
)
# The first process of a tree of its own: when it ends all others do, as when the power fails.
PATH = "/standin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENTER = """
set -e
mount -t proc proc "$1/proc"
mount -t devpts devpts "$1/dev/pts"
exec 3<&0
env -i PATH="$2" chroot "$1" sh -s <&3 3<&- &
trap 'exit 137' TERM
wait $!
"""
_UNSHARE = (
    *("unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork"),
    "--kill-child",
)


class DebianServer(Server):
    """One in a folder. Its scripts run in mounts, processes and a network of their own."""

    def machine(self, came_from: str = "") -> Machine:
        return Machine((*_UNSHARE, "sh", "-c", _ENTER, "enter", str(self.root), PATH))

    def asked(self, script: str) -> list[str]:
        """The lines that a script prints there; nothing of it is noted."""
        return self.machine().read(f"PATH=${{PATH#/standin:}}\n{script}\n").splitlines()

    def packages(self) -> list[str]:
        """Each package that dpkg knows, its state and version, and those that were asked for."""
        known = self.asked("dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\\n'")
        return [*known, *(f"asked for: {name}" for name in self.asked("apt-mark showmanual"))]

    def tree(self) -> dict[str, str]:
        """Everything that is on it, path to kind, mode, owner and content; folders too."""
        found: dict[str, str] = {}
        for folder, names, files in os.walk(self.root):
            for name in (*names, *files):
                path = Path(folder) / name
                inside = str(path.relative_to(self.root))
                if not f"{inside}/".startswith(NOT_COMPARED):
                    found[inside] = _described(path)
        return found


def _described(path: Path) -> str:
    told, content = path.lstat(), ""
    if stat.S_ISLNK(told.st_mode):
        content = str(path.readlink())
    elif stat.S_ISREG(told.st_mode):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{told.st_mode:o} {told.st_uid}:{told.st_gid} {content}"


def debian_server(root: Path) -> DebianServer:
    """A server without Tailscale and K3s, whose driver works; built once, then copied."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    release = platform.freedesktop_os_release()
    if release.get("VERSION_ID") not in SYSTEMS.get(release["ID"], ()):
        pytest.skip("needs a Debian or Ubuntu that `hub home install` knows")
    if missing := [name for name in ("go", "gpg", "unshare") if not shutil.which(name)]:
        pytest.skip(f"needs {', '.join(missing)}")
    try:
        _unpack_or_build(release, root)
    except TwinError as error:
        pytest.skip(f"no Debian can be had: {error}")
    place_standins(root, (*PROGRAMS, *REAL))
    (root / "standin/real").mkdir()
    for name in REAL:
        (root / "standin/real" / name).symlink_to(f"/usr/bin/{name}")
    (root / "usr/lib/apt/methods/https").unlink()
    write(root / "usr/lib/apt/methods/https", METHOD.read_bytes())
    for name, text in FILES.items():
        if name != "etc/os-release":
            write(root / name, text)
    # As fast as files that nobody will miss.
    write(root / "etc/dpkg/dpkg.cfg.d/unsafe-io", "force-unsafe-io\n")
    # Maintainer scripts have apt's own.
    write(root / "etc/apt/apt.conf.d/99path", f'DPkg::Path "{PATH}";\n')
    for name in ("active", "enabled", "masked"):
        (root / "state" / name).mkdir()
    # Where systemd runs, maintainer scripts start their units.
    (root / "run/systemd/system").mkdir(exist_ok=True)
    return DebianServer(root)


def _unpack_or_build(release: Mapping[str, str], folder: Path) -> None:
    """The system and the repositories, which the cache has as an archive from the first time on."""
    files = [Path(one).read_bytes() for one in (__file__, debian_packages.__file__)]
    lists = [one.content({}) for one in (NVIDIA_PACKAGES, TAILSCALE_PACKAGES)]
    words = (*lists, *NVIDIA_KEY, *tailscale_key(facts()), debian_packages.TAILSCALE)
    digest = hashlib.sha256(b"".join([*files, *map(str.encode, words)])).hexdigest()[:8]
    name = f"home-server-{release['VERSION_CODENAME']}"
    archive = cache_dir() / f"{name}-{digest}.tar"
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "home-server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            for older in cache_dir().glob(f"{name}-*"):
                older.unlink()
            with tempfile.TemporaryDirectory() as built:
                root = Path(built) / "root"
                _bootstrap(root, release["VERSION_CODENAME"])
                _serve(root / "standin/www", release, Path(built))
                new = archive.with_suffix(".new")
                _run("tar", "-cf", str(new), "-C", str(root), ".")
                new.rename(archive)
        folder.mkdir()
        _run("tar", "-xf", str(archive), "-C", str(folder))


def _bootstrap(root: Path, codename: str) -> None:
    """The smallest system with systemd; beside it what may be wanted of the distribution."""
    tool = debian.unpacked("debootstrap", ("debootstrap",)).folder
    wanted = ("--variant=minbase", f"--include={','.join(ALWAYS)}", codename, str(root))
    _run(
        # What it mounts below the root ends with it, however it ends.
        *("unshare", "--mount", "--propagation", "private"),
        *("sh", str(tool / "usr/sbin/debootstrap"), *wanted, _mirror(codename)),
        DEBOOTSTRAP_DIR=str(tool / "usr/share/debootstrap"),
    )
    served = root / "standin/www" / DISTRIBUTION
    served.mkdir(parents=True)
    _run("chroot", str(root), "apt-get", "clean")
    _run("chroot", str(root), "apt-get", "update")
    _run("chroot", str(root), "apt-get", "install", "--download-only", "-y", *WANTED)
    for package in (root / "var/cache/apt/archives").glob("*.deb"):
        package.rename(served / package.name)
    write(served / "Packages", index(served, served))
    shutil.rmtree(root / "var/lib/apt/lists")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    sources = f"deb [trusted=yes] https://{DISTRIBUTION} ./\n"
    write(root / "etc/apt/sources.list", sources)


def _mirror(codename: str) -> str:
    told = _run("apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)")
    for line in told.splitlines():
        release, _, uri = line.partition(" ")
        if release == codename:
            listed = uri.removeprefix("mirror+file:")
            return uri if listed == uri else Path(listed).read_text().split()[0]
    raise TwinError(f"apt knows no mirror of {codename}; try `apt-get update` first")


def _serve(www: Path, release: Mapping[str, str], folder: Path) -> None:
    """Tailscale's and NVIDIA's repositories at their addresses, each signed by a key of its own."""
    server = facts(distribution=release["ID"], codename=release["VERSION_CODENAME"])
    architecture = _run("dpkg", "--print-architecture").strip()

    def at(url: str) -> Path:
        return www / url.removeprefix("https://")

    def repository(listed: str) -> Path:
        [line] = [one for one in listed.splitlines() if one.startswith("deb ")]
        folder = at(line.split()[2].replace("$(ARCH)", architecture))
        folder.mkdir(parents=True)
        return folder

    with signer(folder / "tailscales-key") as sign:
        values = {"DISTRIBUTION": server.distribution, "RELEASE": server.codename}
        root = repository(TAILSCALE_PACKAGES.content(values))
        (root / "pool").mkdir()
        for package in debian_packages.tailscales(sign.key()):
            package.build(root / "pool")
        suite = root / "dists" / server.codename
        write(suite / f"main/binary-{architecture}/Packages", index(root, root / "pool"))
        sign.release(suite, server.codename, architecture)
        write(at(tailscale_key(server)[0]), sign.key())
    with signer(folder / "nvidias-key") as sign:
        root = repository(NVIDIA_PACKAGES.content({}))
        for package in debian_packages.nvidias():
            package.build(root)
        write(root / "Packages", index(root, root))
        sign.release(root, "stable", architecture)
        write(at(NVIDIA_KEY[0]), sign.key(armored=True))


def _run(*argv: str, **env: str) -> str:
    done = subprocess.run(
        argv, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise TwinError(f"`{' '.join(argv[:3])} …` failed\n{done.stdout[-2000:]}{done.stderr}")
    return done.stdout
