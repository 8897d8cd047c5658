"""From facts to the steps that are left of an installation; nothing here touches the server.

The order matters: K3s looks for NVIDIA's runtime and reads its configuration at its first start,
and that configuration needs the tailnet address.
"""

from __future__ import annotations

import json
import shlex
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from hub.home.facts import SLEEP, Facts, Found, version
from hub.home.files import (
    K3S_CONFIG,
    K3S_ORDER,
    LEFT_BEHIND,
    NVIDIA_PACKAGES,
    TAILSCALE_PACKAGES,
    WAKE_ON_LAN,
    Placed,
    diff,
)
from hub.home.requirements import NAME, joined
from infra.tailnet.policy import HOME_TAG

# renovate: datasource=github-releases depName=k3s-io/k3s
K3S = "v1.36.4+k3s1"
K3S_INSTALLER = f"https://raw.githubusercontent.com/k3s-io/k3s/{K3S.replace('+', '%2B')}/install.sh"
TOOLKIT = "nvidia-container-toolkit"
NVIDIA_KEY = (
    "https://nvidia.github.io/libnvidia-container/gpgkey",
    "/usr/share/keyrings/nvidia-container-toolkit.asc",
)
TAILSCALES = "https://controlplane.tailscale.com"
"""The control server of who names none."""
LEDGER = "/var/lib/personal-cloud-hub/before"
"""On the server: a file for each step, with what was there before it."""
UNKNOWN = "100.x.y.z"
"""The tailnet address, in a plan that is made before the server has one."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change of the server. Running it twice is the same as once."""

    name: str
    does: str
    script: str
    before: Any = None
    """What was there, as far as an `uninstall` has to know it."""
    change: str = field(default="", repr=False)
    """The diff of a file."""


def steps(facts: Facts, control_url: str | None = None) -> list[Step]:
    """What is left to do, in order; nothing for a server that is set up."""
    candidates = [
        _no_sleep(facts),
        _tools(facts),
        *_nvidia(facts),
        *_tailscale(facts),
        _join(facts, control_url),
        _wake_on_lan(facts),
        _file("k3s-config", K3S_CONFIG, facts),
        _file("k3s-order", K3S_ORDER, facts),
        _k3s(facts),
    ]
    return [step for step in candidates if step]


def recorded(step: Step) -> str:
    """The step's script, after a note of what was there before.

    The note is written first and once: an interrupted step that is run again finds its own traces,
    which are not what was there.
    """
    note = f"{LEDGER}/{step.name}.json"
    return (
        f"install -d -m 700 {LEDGER}\n"
        f"if [ ! -e {note} ]; then\n"
        f"{_write_new(note, json.dumps(step.before) + chr(10), '600')}mv {note}.new {note}\n"
        f"fi\n{step.script}"
    )


def place(path: str, content: str, mode: str = "644", then: str = "") -> str:
    """A script that writes a file and runs what makes it count.

    The new content stays beside the file until both are done, which marks an interrupted step.
    """
    return (
        f"install -d {path.rpartition('/')[0]}\n{_write_new(path, content, mode)}"
        f"cp -p {path}.new {path}\n{then}rm {path}.new\n"
    )


def _write_new(path: str, content: str, mode: str) -> str:
    encoded = b64encode(content.encode()).decode()
    return f"echo {encoded} | base64 -d >{path}.new\nchmod {mode} {path}.new\nsync {path}.new\n"


def values(facts: Facts) -> dict[str, str]:
    """For the ``@NAME@`` of the files."""
    return {
        "ADDRESS": facts.tailscale.address or UNKNOWN,
        "NAME": facts.tailscale.name if joined(facts) else f"{NAME}.TAILNET.ts.net",
        "INTERFACE": facts.interface,
        "DISTRIBUTION": facts.distribution,
        "RELEASE": facts.codename,
    }


def was(found: Found) -> dict[str, str | None]:
    """A file, to be put back."""
    return {
        "content": found.content if found.exists else None,
        "mode": found.mode,
        "folder": found.folder,
    }


def _file(name: str, file: Placed, facts: Facts) -> Step | None:
    found, content = facts.files[file.path], file.content(values(facts))
    if found.content == content and not found.unfinished:
        return None
    after = "systemctl daemon-reload\n" if "/systemd/" in file.path else ""
    # K3s reads its configuration when it starts; what runs in it goes on meanwhile.
    after += _restart_k3s(facts) if "k3s" in file.path else ""
    return Step(
        name=name,
        does=f"Write {file.path}",
        script=place(file.path, content, then=after),
        before=was(found),
        change=diff(file.path, found.content, content),
    )


def _no_sleep(facts: Facts) -> Step | None:
    awake = [unit for unit in SLEEP if unit not in facts.masked]
    if not awake:
        return None
    return Step(
        name="no-sleep",
        does="Keep the server from suspending, which destroys the GPU's state",
        script=f"systemctl mask {' '.join(awake)}\n",
        before=awake,
    )


def _tools(facts: Facts) -> Step | None:
    missing = [package for package in ("curl", "ethtool") if package not in facts.packages]
    if not missing:
        return None
    return Step(
        name="tools",
        does=f"Install {' and '.join(missing)}",
        script=_install("tools", *missing),
        before=missing,
    )


def _nvidia(facts: Facts) -> list[Step]:
    if TOOLKIT in facts.packages:
        return []
    listed = _file("nvidia-packages", NVIDIA_PACKAGES, facts)
    install = Step(
        name="nvidia-toolkit",
        does="Install NVIDIA's container toolkit",
        script=_fetch_key(*NVIDIA_KEY)
        + _install("nvidia-toolkit", TOOLKIT)
        # K3s looks for the runtime when it starts (docs.k3s.io/advanced).
        + _restart_k3s(facts),
        before=_leaves("nvidia-toolkit", facts),
    )
    return [*([listed] if listed else []), install]


def _tailscale(facts: Facts) -> list[Step]:
    if facts.tailscale.state:
        return []
    if "tailscale" in facts.packages:
        begin = "systemctl enable --now tailscaled.service\n"
        return [Step(name="tailscaled", does="Start Tailscale", script=begin)]
    listed = _file("tailscale-packages", TAILSCALE_PACKAGES, facts)
    key = tailscale_key(facts)
    install = Step(
        name="tailscale",
        does="Install Tailscale",
        script=_fetch_key(*key) + _install("tailscale", "tailscale"),  # it starts by itself
    )
    return [*([listed] if listed else []), install]


def tailscale_key(facts: Facts) -> tuple[str, str]:
    """Where the key of Tailscale's packages comes from, and where it is put."""
    url = f"https://pkgs.tailscale.com/stable/{facts.distribution}/{facts.codename}.noarmor.gpg"
    return url, "/usr/share/keyrings/tailscale-archive-keyring.gpg"


def _fetch_key(url: str, path: str) -> str:
    return f"curl -fsSL {url} -o {path}.new\nchmod 644 {path}.new\nmv {path}.new {path}\n"


def comes_with(step: str) -> str:
    """On the server: the packages that a step installs, with all that they need; one a line."""
    return f"{LEDGER}/{step}.packages"


def _install(step: str, *packages: str) -> str:
    note = comes_with(step)
    # An interrupted dpkg wants to be finished first; unattended upgrades may hold its lock.
    return (
        "dpkg --configure -a\n"
        "apt-get -o DPkg::Lock::Timeout=300 update\n"
        f"if [ ! -e {note} ]; then\n"
        f"comes=$(apt-get -s install {' '.join(packages)})\n"
        # Without those that are upgraded: their older version stands in brackets.
        f"echo \"$comes\" | sed -n 's/^Inst \\([^ ]*\\) (.*/\\1/p' >{note}.new\n"
        f"sync {note}.new\nmv {note}.new {note}\n"
        "fi\n"
        f"apt-get -o DPkg::Lock::Timeout=300 install -y {' '.join(packages)}\n"
    )


def _leaves(step: str, facts: Facts) -> list[str]:
    """What an `uninstall` has to remove itself."""
    return [path for path in LEFT_BEHIND[step] if path not in facts.there]


def _join(facts: Facts, control_url: str | None) -> Step | None:
    tailscale = facts.tailscale
    before = {
        "loggedIn": tailscale.logged_in,
        "down": tailscale.logged_in and not tailscale.running,
        "server": tailscale.server,
        "hostname": tailscale.hostname,
        "tags": list(tailscale.tags),
    }
    if joined(facts):
        if tailscale.hostname == NAME:
            return None
        return Step(
            name="tailnet",
            does=f"Call the server {NAME} in the tailnet (it is {tailscale.hostname} now)",
            script=f"tailscale set --hostname={NAME}\n",
            before=before,
        )
    # Tailscale refuses to keep another server than its own without a word.
    server = control_url or (TAILSCALES if tailscale.server else None)
    # Joined by a link that a person opens: no auth key is made, sent or left on a disk.
    up = [
        "tailscale up",
        f"--hostname={NAME}",
        f"--advertise-tags={HOME_TAG}",
        "--timeout=600s",
        *([f"--login-server={shlex.quote(server)}"] if server else []),
        # A machine that is logged in as a person takes a tag only so.
        *(["--force-reauth"] if tailscale.logged_in else []),
    ]
    return Step(
        name="tailnet",
        does=f"Join the tailnet as {NAME} with {HOME_TAG}: open the link that is shown",
        script=" ".join(up) + "\n",
        before=before,
    )


def _wake_on_lan(facts: Facts) -> Step | None:
    if not facts.interface or (facts.wakes is None and "ethtool" in facts.packages):
        return None
    unit = _file("wake-on-lan", WAKE_ON_LAN, facts)
    if unit is None and facts.wake_unit and facts.wakes:
        return None
    found = facts.files[WAKE_ON_LAN.path]
    return Step(
        name="wake-on-lan",
        does=f"Let a magic packet on {facts.interface} switch the server on",
        script=(unit.script if unit else "")
        + "systemctl enable home-wake-on-lan.service\n"
        + "systemctl restart home-wake-on-lan.service\n",
        before={**was(found), "wakes": facts.wakes},
        change=unit.change if unit else "",
    )


def _restart_k3s(facts: Facts) -> str:
    # systemd refuses `try-restart` of a unit that is not there.
    return "systemctl restart k3s.service\n" if facts.k3s_active else ""


def _k3s(facts: Facts) -> Step | None:
    # K3s has no way back to an older version.
    current = facts.k3s != "" and version(facts.k3s) >= version(K3S)
    if current and facts.k3s_active and facts.k3s_enabled:
        return None
    return Step(
        name="k3s",
        does=f"Install K3s {K3S}, start it, and wait until its node is ready",
        # The installer of the same version; it checks the program's hash.
        script=(
            f"curl -fsSL {K3S_INSTALLER} -o /run/k3s-install.sh\n"
            f"INSTALL_K3S_VERSION={shlex.quote(K3S)} sh /run/k3s-install.sh\n"
            "rm /run/k3s-install.sh\n"
            f"timeout 300 sh -c 'until k3s kubectl wait --for=condition=Ready node/{NAME} "
            "--timeout=60s; do sleep 2; done'\n"
        ),
        before=_leaves("k3s", facts),
    )
