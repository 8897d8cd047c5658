"""From the notes of an installation to the steps that restore what was there before it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.home.facts import Facts
from hub.home.files import (
    K3S_CONFIG,
    K3S_DATA,
    K3S_ORDER,
    NVIDIA_PACKAGES,
    TAILSCALE_PACKAGES,
    WAKE_ON_LAN,
    Placed,
    diff,
)
from hub.home.machine import script
from hub.home.steps import (
    LEDGER,
    NVIDIA_KEY,
    TAILSCALES,
    TOOLKIT,
    Step,
    comes_with,
    place,
    tailscale_key,
)
from infra.tailnet.policy import HOME_TAG


@dataclass(frozen=True)
class Restoration:
    """How one step is taken back. Doing it twice is the same as once."""

    does: str
    script: str
    change: str = ""
    """The diff of a file."""


def undoing(facts: Facts) -> list[Step]:
    """What is left to restore, the last change first; nothing where nothing was installed."""
    return [
        _step(name, undo(facts.before[name], facts))
        for name, undo in _UNDO.items()
        if name in facts.before
    ]


def _step(name: str, restoration: Restoration) -> Step:
    """What it does, and then its note is removed: an interrupted one is done again."""
    forget = (
        f"rm -f {LEDGER}/{name}.json {comes_with(name)} {LEDGER}/*.new\n"
        # The folder above stays where the model's weights are in it.
        f"rmdir {LEDGER} {LEDGER.rpartition('/')[0]} 2>/dev/null || true\n"
    )
    return Step(
        name=name,
        does=restoration.does,
        script=restoration.script + forget,
        change=restoration.change,
    )


def _k3s(before: list[str], _: Facts) -> Restoration:
    return Restoration(
        "Remove K3s, with everything that runs in it and its Secrets",
        script("without_tailscale.sh")
        # Its installer may have been interrupted before it wrote the way back.
        + "if [ -x /usr/local/bin/k3s-uninstall.sh ]; then\n"
        "without_tailscale /usr/local/bin/k3s-uninstall.sh\n"
        "else\n"
        "for link in crictl ctr kubectl; do\n"
        '[ "$(readlink "/usr/local/bin/$link")" != k3s ] || rm "/usr/local/bin/$link"\n'
        "done\n"
        "rm -f /usr/local/bin/k3s /usr/local/bin/k3s-killall.sh /run/k3s-install.sh\n"
        "fi\n" + _remove_left_behind(before),
    )


def _remove_left_behind(paths: list[str]) -> str:
    # A folder of data goes only if it is empty.
    return "".join(
        f"rmdir {path} 2>/dev/null || true\n" if path == K3S_DATA else f"rm -rf {path}\n"
        for path in paths
    )


def _file(file: Placed, before: Mapping[str, Any], facts: Facts) -> Restoration:
    content: str | None = before["content"]
    now = facts.files[file.path].content
    if content is None:
        script = (
            f"rm -f {file.path} {file.path}.new\n{_remove_folders(file.path, before['folder'])}"
        )
        does = f"Remove {file.path}"
    else:
        script = place(file.path, content, before["mode"])
        does = f"Put back {file.path}"
    if "/systemd/" in file.path:
        script += "systemctl daemon-reload\n"
    return Restoration(does, script, diff(file.path, now, content or ""))


def _remove_folders(path: str, existing: str) -> str:
    """The folders on the way to a file that were made for it, unless something else is in them."""
    folder, lines = path.rpartition("/")[0], ""
    while folder not in {existing, ""}:
        lines += f"rmdir {folder} 2>/dev/null || true\n"
        folder = folder.rpartition("/")[0]
    return lines


def _wake_on_lan(before: Any, facts: Facts) -> Restoration:
    file = _file(WAKE_ON_LAN, before, facts)
    script = "systemctl disable --now home-wake-on-lan.service || true\n"
    if not before["wakes"]:
        script += f"ethtool -s {facts.interface} wol d\n"
    return replace(file, script=script + file.script)


def _tailnet(before: Any, _: Facts) -> Restoration:
    if not before["loggedIn"]:
        return Restoration("Leave the tailnet", "tailscale logout\n")
    name, tags = before["hostname"], before["tags"]
    if HOME_TAG in tags:
        return Restoration(f"Call the server {name} again", f"tailscale set --hostname={name}\n")
    up = (
        f"tailscale up --force-reauth --hostname={name} --advertise-tags={','.join(tags)} "
        f"--login-server={shlex.quote(before['server'] or TAILSCALES)} --timeout=600s\n"
    )
    return Restoration(
        f"Join the tailnet as {name} again: open the link that is shown",
        up + ("tailscale down\n" if before["down"] else ""),
    )


def _packages(step: str, *packages: str, key: str = "") -> Restoration:
    # dpkg, unlike apt, keeps a package on which another one has come to depend.
    remove = (
        "dpkg --configure -a\n"
        f"came=$(cat {comes_with(step)} 2>/dev/null || true)\n"
        'if [ -n "$came" ]; then\n'
        "# shellcheck disable=SC2086 # each line is a package\n"
        "dpkg --purge $came || true\n"
        # What it has kept is marked to be removed later, which apt would do some day.
        "# shellcheck disable=SC2016,SC2086 # dpkg-query's own fields\n"
        "dpkg-query -W -f '${db:Status-Status} ${binary:Package}\\n' $came 2>/dev/null |\n"
        "sed -n 's/^installed \\(.*\\)/\\1 install/p' | dpkg --set-selections\n"
        "fi\n"
    )
    does = f"Remove {', '.join(packages)}, and what was installed for it"
    return Restoration(does, remove + (f"rm -f {key} {key}.new\n" if key else ""))


def _nvidia(before: list[str], _: Facts) -> Restoration:
    removal = _packages("nvidia-toolkit", TOOLKIT, key=NVIDIA_KEY[1])
    return replace(removal, script=removal.script + _remove_left_behind(before))


def _tailscale(_: Any, facts: Facts) -> Restoration:
    return _packages("tailscale", "tailscale", key=tailscale_key(facts)[1])


def _tailscaled(_before: Any, _: Facts) -> Restoration:
    return Restoration("Stop Tailscale", "systemctl disable --now tailscaled.service\n")


def _sleep(before: Any, _: Facts) -> Restoration:
    return Restoration(
        "Allow the server to suspend again", f"systemctl unmask {' '.join(before)}\n"
    )


# The order of installation backwards.
_UNDO: dict[str, Callable[[Any, Facts], Restoration]] = {
    "k3s": _k3s,
    "k3s-order": lambda before, facts: _file(K3S_ORDER, before, facts),
    "k3s-config": lambda before, facts: _file(K3S_CONFIG, before, facts),
    "wake-on-lan": _wake_on_lan,
    "tailnet": _tailnet,
    "tailscaled": _tailscaled,
    "tailscale": _tailscale,
    "tailscale-packages": lambda before, facts: _file(TAILSCALE_PACKAGES, before, facts),
    "nvidia-toolkit": _nvidia,
    "nvidia-packages": lambda before, facts: _file(NVIDIA_PACKAGES, before, facts),
    "tools": lambda before, _: _packages("tools", *before),
    "no-sleep": _sleep,
}
