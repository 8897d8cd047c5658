"""What is known of the home server, from what ``home/facts.sh`` prints."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, cast

from hub.home.files import LEFT_BEHIND, PLACED
from hub.home.machine import Machine, script

TAILNET = ip_network("100.64.0.0/10")
"""Of each node's IPv4 address: RFC 6598's range, which Tailscale uses."""
TAILNET_6 = ip_network("fd7a:115c:a1e0::/48")
"""Of its IPv6 address (tailscale.com/net/tsaddr)."""
SLEEP = ("sleep.target", "suspend.target", "hibernate.target", "hybrid-sleep.target")
"""Every way to sleep goes through one of them: wiki.debian.org/Suspend."""
Version = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file on the server as it is now."""

    content: str
    mode: str
    """Octal, as ``stat -c %a`` prints it; empty where there is no such file."""
    folder: str
    """The folder that is there already on the way to it."""
    unfinished: bool
    """Its new content lies beside it: the step that places it was interrupted."""

    @property
    def exists(self) -> bool:
        return self.mode != ""


USUAL_SETTINGS: Mapping[str, Any] = {
    "RouteAll": False,
    "CorpDNS": True,
    "RunSSH": False,
    "ShieldsUp": False,
    "ExitNodeID": "",
    "ExitNodeIP": "",
    "ExitNodeAllowLANAccess": False,
    "OperatorUser": "",
    "AdvertiseRoutes": None,
    "NoSNAT": False,
    "NetfilterMode": 2,
}
"""Of a fresh ``tailscaled`` 1.102.3; ``tailscale up`` refuses to leave out one that differs."""


@dataclass(frozen=True, kw_only=True)
class Tailscale:
    """The node, as ``tailscale status --json`` and ``tailscale debug prefs`` have it."""

    state: str = ""
    """Such as Running or NeedsLogin; empty without Tailscale."""
    name: str = ""
    """In the tailnet: home.tail1234.ts.net."""
    hostname: str = ""
    """As the machine calls itself."""
    tags: tuple[str, ...] = ()
    address: str = ""
    """100.x.y.z"""
    peers: tuple[Mapping[str, Any], ...] = ()
    logged_in: bool = False
    """Also while it is switched off (`tailscale down`)."""
    server: str = ""
    """The control server's address; empty before the first login."""
    changed: tuple[str, ...] = ()
    """Settings that are not at their defaults, as ``tailscale debug prefs`` names them."""

    @property
    def running(self) -> bool:
        return self.state == "Running" and self.address != ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One look at the server."""

    distribution: str
    """``ubuntu`` or ``debian``, as os-release's ID has it."""
    release: str
    """24.04"""
    codename: str
    """noble"""
    free_gb: int
    """Below /var/lib."""
    free_percent: int
    packages: frozenset[str]
    """Of those that we need, the installed ones."""
    masked: frozenset[str]
    """Of the units by which the machine would go to sleep."""
    driver: str
    """Of the GPU, from ``nvidia-smi``; empty where it does not work."""
    gpu: str
    module: str
    """The driver's version in the kernel."""
    module_file: str
    """The driver's version on the disk, which the next boot loads."""
    secure_boot: bool | None
    """``None`` where the firmware does not tell, as without ``efivars``."""
    interface: str
    """The network interface of the default route."""
    mac: str
    wakes: bool | None
    """Whether a magic packet switches the machine on; ``None`` where the adapter cannot."""
    wake_unit: bool
    came_from: str
    """The address that SSH came from."""
    tailscale: Tailscale
    k3s: str
    """Version; empty without K3s."""
    k3s_active: bool
    k3s_enabled: bool
    there: frozenset[str]
    """Of ``LEFT_BEHIND``, what exists."""
    files: Mapping[str, Found]
    """By path: the files that we place."""
    before: Mapping[str, Any]
    """By step: what was there before it."""

    @property
    def through_the_tailnet(self) -> bool:
        """Whether this look came over the tailnet."""
        if not self.came_from:
            return False
        address = ip_address(self.came_from)
        return address in TAILNET or address in TAILNET_6


def look(machine: Machine) -> Facts:
    """Read the facts.

    Raises:
        HomeError: the server refuses.
    """
    placed = " ".join(file.path for file in PLACED)
    left_behind = " ".join(path for paths in LEFT_BEHIND.values() for path in paths)
    names = f"PLACED='{placed}'\nLEFT_BEHIND='{left_behind}'\n"
    return parse(machine.read(f"{names}{script('fact.sh')}{script('facts.sh')}"))


def version(text: str) -> Version:
    """The numbers of a version, to be compared.

    >>> version("v1.36.4+k3s1")
    (1, 36, 4, 1)
    """
    return tuple(int(number) for number in re.findall(r"\d+", text.replace("k3s", "")))


def values(text: str) -> dict[str, str]:
    """Names and values, each ended by a zero byte.

    >>> values("free\\0 12G\\n\\0gpu\\0\\0")
    {'free': ' 12G\\n', 'gpu': ''}
    """
    parts = text.split("\0")[:-1]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def parse(text: str) -> Facts:
    """Facts from what ``facts.sh`` printed."""
    raw = values(text)
    told = {name: value.strip() for name, value in raw.items()}
    os_release = {
        name: value.strip('"')
        for line in told["os"].splitlines()
        for name, _, value in [line.partition("=")]
    }
    driver, _, gpu = told["gpu"].partition(", ")
    disk = re.findall(r"(\d+)\s+(\d+)%", told["free"])
    states = told["sleep"].split()
    k3s = re.search(r"k3s version (\S+)", told["k3s"])
    came_from = told["ssh"].split()
    return Facts(
        distribution=os_release.get("ID", ""),
        release=os_release.get("VERSION_ID", ""),
        codename=os_release.get("VERSION_CODENAME", ""),
        free_gb=int(disk[0][0]) if disk else 0,
        free_percent=100 - int(disk[0][1]) if disk else 0,
        packages=frozenset(
            line.split()[-1] for line in told["packages"].splitlines() if line.startswith("ii")
        ),
        masked=frozenset(u for u, state in zip(SLEEP, states, strict=False) if state == "masked"),
        driver=driver if gpu else "",
        gpu=gpu.splitlines()[0] if gpu else "",
        module=told["module"],
        module_file=told["module-file"],
        secure_boot=_secure_boot(told["secure-boot"]),
        interface=told["interface"],
        mac=told["mac"],
        wakes=_wakes(told["wake-on-lan"]),
        wake_unit=told["wake-on-lan-unit"] == "enabled",
        came_from=came_from[0] if came_from else "",
        tailscale=tailscale_of(told["tailscale"], told["tailscale-settings"]),
        k3s=k3s[1] if k3s else "",
        k3s_active=told["k3s-active"] == "active",
        k3s_enabled=told["k3s-enabled"] == "enabled",
        there=frozenset(told["there"].split()),
        files={
            file.path: Found(
                content=raw[f"file:{file.path}"],
                mode=told[f"mode:{file.path}"],
                folder=told[f"folder:{file.path}"],
                unfinished=told[f"new:{file.path}"] != "",
            )
            for file in PLACED
        },
        before={
            name.removeprefix("before:"): json.loads(value)
            for name, value in told.items()
            if name.startswith("before:")
        },
    )


def read_object(told: str) -> dict[str, Any]:
    """JSON that a command printed; empty where it printed none, or broke off.

    >>> read_object('{"items": [{"kind"')
    {}
    """
    try:
        read = json.loads(told)
    except ValueError:
        return {}
    return cast("dict[str, Any]", read) if isinstance(read, dict) else {}


def _secure_boot(told: str) -> bool | None:
    """What mokutil says: ``SecureBoot enabled``, ``SecureBoot disabled``, or why it cannot tell."""
    state = re.search(r"SecureBoot (enabled|disabled)", told)
    return state[1] == "enabled" if state else None


def _wakes(told: str) -> bool | None:
    """What ethtool says: `Supports Wake-on: pumbg` and `Wake-on: g`."""
    can = re.search(r"Supports Wake-on: (\w+)", told)
    if not can or "g" not in can[1]:
        return None
    return bool(re.search(r"^\s*Wake-on: \w*g", told, re.MULTILINE))


def tailscale_of(told: str, settings: str) -> Tailscale:
    """From ``tailscale status --json`` and ``tailscale debug prefs``; empty without Tailscale."""
    status, prefs = read_object(told), read_object(settings)
    own: dict[str, Any] = status.get("Self") or {}
    peers: dict[str, dict[str, Any]] = status.get("Peer") or {}
    addresses: list[str] = own.get("TailscaleIPs") or []
    return Tailscale(
        state=status.get("BackendState", ""),
        name=str(own.get("DNSName", "")).rstrip("."),
        hostname=own.get("HostName", ""),
        tags=tuple(own.get("Tags") or ()),
        address=next((one for one in addresses if ip_address(one) in TAILNET), ""),
        peers=tuple(peers.values()),
        logged_in=not prefs.get("LoggedOut", True),
        server=prefs.get("ControlURL", ""),
        changed=tuple(k for k, usual in USUAL_SETTINGS.items() if prefs.get(k, usual) != usual),
    )
