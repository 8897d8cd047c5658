"""`hub home install` and `uninstall` on a whole Debian: real apt, dpkg, systemctl and shell.

``tests/hub/home/`` kills each step at each change, with stand-ins for these; here are a few moments
that no stand-in has, in the middle of dpkg's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.home.machine import HomeError
from tests.support.debian_packages import Package
from tests.support.debian_server import DebianServer, debian_server
from tests.support.home_server import Server, install, installation, uninstall

pytestmark = pytest.mark.conformance

MASKED = ("sleep.target", "suspend.target", "hibernate.target", "hybrid-sleep.target")
ENABLED = {
    "home-wake-on-lan.service": "/etc/systemd/system/home-wake-on-lan.service",
    "k3s.service": "/etc/systemd/system/k3s.service",
    "nvidia-cdi-refresh.path": "/lib/systemd/system/nvidia-cdi-refresh.path",
    "tailscaled.service": "/lib/systemd/system/tailscaled.service",
}
INSTALLED = {
    *("curl", "ethtool", "iptables", "nvidia-container-toolkit", "nvidia-container-toolkit-base"),
    *("tailscale", "tailscale-archive-keyring"),
}
INSTALL_ENDS_AT = (
    (
        "systemctl --preset-mode=enable-only preset nvidia-cdi-refresh.path"
        " by nvidia-container-toolkit-base"
    ),
    "systemctl restart tailscaled.service by tailscale",
    "k3s is placed",
)
"""While dpkg configures a package and others wait for it, twice; between K3s and its way back."""
UNINSTALL_ENDS_AT = (
    "k3s-uninstall.sh uninstalls",
    "systemctl stop tailscaled.service by tailscale",
    "systemctl stop nvidia-cdi-refresh.path by nvidia-container-toolkit-base",
)
THEIRS = Package("theirs", "1", fields={"Depends": "ethtool"})
Whole = tuple[dict[str, str], list[str]]


@dataclass(frozen=True)
class Course:
    """A server before, after an installation, and after an uninstallation."""

    server: DebianServer
    before: Whole
    installed: Whole
    changes: list[str]
    second: list[str]
    """What an installation changes that follows at once."""
    links: dict[str, str]
    after: Whole


def whole(server: DebianServer) -> Whole:
    return server.tree(), server.packages()


def differences(one: Whole, other: Whole) -> dict[str, tuple[str | None, str | None]]:
    """Of files and packages, by name; nothing for the same server."""
    (files, packages), (others, other_packages) = one, other
    left = {**files, **dict.fromkeys(packages, "known")}
    right = {**others, **dict.fromkeys(other_packages, "known")}
    return {
        name: (left.get(name), right.get(name))
        for name in sorted({*left, *right})
        if left.get(name) != right.get(name)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of the servers; nothing runs there at the end, and nothing is mounted."""
    folder = tmp_path_factory.mktemp("servers")
    yield folder
    assert str(folder) not in Path("/proc/mounts").read_text()
    assert not [root for root in roots() if root.startswith(str(folder))]


def roots() -> list[str]:
    """The root folder of each process of this machine."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.append(str((process / "root").readlink()))
        except OSError:
            continue  # it has ended, or is the kernel's
    return found


@pytest.fixture(scope="module")
def course(folder: Path) -> Course:
    server = debian_server(folder / "server")
    before = whole(server)
    install(server)
    changes, installed = server.changes(), whole(server)
    links = {
        name: str((server.root / "etc/systemd/system" / name).readlink()).removeprefix("/usr")
        for name in (*MASKED, *(f"multi-user.target.wants/{unit}" for unit in ENABLED))
    }
    server.live_on()
    install(server)
    second = server.changes()
    uninstall(server)
    return Course(server, before, installed, changes, second, links, whole(server))


def test_the_changes_are_made_in_the_order_that_matters(course: Course) -> None:
    release = dict(
        line.split("=", 1)
        for line in (course.server.root / "etc/os-release").read_text().splitlines()
    )
    own = [change for change in course.changes if " by " not in change]
    assert own == installation(release["ID"], release["VERSION_CODENAME"])


def test_units_are_masked_and_enabled_where_systemd_looks(course: Course) -> None:
    assert course.links == {
        **dict.fromkeys(MASKED, "/dev/null"),
        **{f"multi-user.target.wants/{unit}": file for unit, file in ENABLED.items()},
    }


def test_dpkg_knows_the_packages_as_installed(course: Course) -> None:
    states = [line.split() for line in course.installed[1]]
    assert {name for state, name, _ in states if state == "ii"} >= INSTALLED
    assert {state for state, *_ in states} == {"ii", "asked"}


def test_a_second_installation_changes_nothing(course: Course) -> None:
    assert course.second == []


def test_an_uninstallation_restores_every_file_and_package(course: Course) -> None:
    assert differences(course.before, course.after) == {}


def test_what_loses_its_power_on_the_way_ends_the_same(course: Course, folder: Path) -> None:
    """There and back; a package of somebody's own keeps what it has come to need."""
    server = debian_server(folder / "interrupted")
    with_power_cuts(INSTALL_ENDS_AT, install, server)
    assert differences(course.installed, whole(server)) == {}

    THEIRS.build(server.root / "run")
    server.asked("dpkg -i /run/theirs_1_all.deb")
    with_power_cuts(UNINSTALL_ENDS_AT, uninstall, server)
    kept = {name.split()[1] for name in differences(course.before, whole(server)) if "ii" in name}
    assert kept == {"theirs", "ethtool"}
    server.asked("dpkg --purge theirs ethtool")
    assert differences(course.before, whole(server)) == {}


def with_power_cuts(changes: Iterable[str], work: Callable[[Server], None], server: Server) -> None:
    """One before each of these changes; after the last it is done once more, to its end."""
    for change in changes:
        server.die_at(change, late=False)
        with pytest.raises(HomeError, match="This failed"):
            work(server)
    server.live_on()
    work(server)
