"""The files that are placed on the server, with the values of this one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.home.machine import FILES


@dataclass(frozen=True)
class Placed:
    """A file whose path below ``root`` is its path on the server."""

    path: str
    root: Path = FILES

    def content(self, values: Mapping[str, str]) -> str:
        """Its text, with the values for ``@NAME@``."""
        text = (self.root / self.path.lstrip("/")).read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text


K3S_CONFIG = Placed("/etc/rancher/k3s/config.yaml")
K3S_ORDER = Placed("/etc/systemd/system/k3s.service.d/10-tailscale.conf")
WAKE_ON_LAN = Placed("/etc/systemd/system/home-wake-on-lan.service")
NVIDIA_PACKAGES = Placed("/etc/apt/sources.list.d/nvidia-container-toolkit.list")
TAILSCALE_PACKAGES = Placed("/etc/apt/sources.list.d/tailscale.list")
K3S_DATA = "/var/lib/rancher"
LEFT_BEHIND: Mapping[str, tuple[str, ...]] = {
    # Its own, no package's (packaging/debian/nvidia-container-toolkit-base.postinst).
    "nvidia-toolkit": ("/etc/nvidia-container-runtime",),
    # The node's password (docs.k3s.io/architecture) and the kubelet's links and logs.
    "k3s": ("/etc/rancher/node", "/var/log/containers", "/var/log/pods", K3S_DATA),
}
"""By step: what the programs that it installs make, and do not take with them when they go."""
PLACED = (TAILSCALE_PACKAGES, NVIDIA_PACKAGES, WAKE_ON_LAN, K3S_CONFIG, K3S_ORDER)


def diff(path: str, now: str, then: str) -> str:
    """What changes in a file, as ``diff -u`` prints it."""
    lines = difflib.unified_diff(
        now.splitlines(keepends=True),
        then.splitlines(keepends=True),
        f"{path} (now)" if now else "/dev/null",
        path if then else "/dev/null",
    )
    return "".join(lines)
