"""A home server in words: set up and well, but for what a test says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.home.facts import SLEEP, Facts, Found, Tailscale
from hub.home.files import PLACED
from hub.home.steps import values

ADDRESS = "100.101.102.103"
GATEWAY: dict[str, Any] = {
    "HostName": "home-gateway",
    "Tags": ["tag:llm-gateway"],
    "TailscaleIPs": ["100.64.0.9"],
    "Online": True,
}


def tailscale(**changes: Any) -> Tailscale:
    well: dict[str, Any] = {
        "state": "Running",
        "name": "home.tail1234.ts.net",
        "hostname": "home",
        "tags": ("tag:llm-home",),
        "address": ADDRESS,
        "peers": (GATEWAY,),
    }
    return Tailscale(**{**well, **changes})


def facts(**changes: Any) -> Facts:
    well: dict[str, Any] = {
        "distribution": "debian",
        "release": "12",
        "codename": "bookworm",
        "free_gb": 400,
        "free_percent": 60,
        "packages": frozenset({"curl", "ethtool", "nvidia-container-toolkit", "tailscale"}),
        "masked": frozenset(SLEEP),
        "driver": "580.95.05",
        "gpu": "NVIDIA GeForce RTX 3090",
        "module": "580.95.05",
        "module_file": "580.95.05",
        "secure_boot": False,
        "interface": "enp5s0",
        "mac": "04:42:1a:00:00:01",
        "wakes": True,
        "wake_unit": True,
        "came_from": "",
        "tailscale": tailscale(),
        "k3s": "v1.36.4+k3s1",
        "k3s_active": True,
        "k3s_enabled": True,
        "there": frozenset(),
        "files": {},
        "before": {"k3s": None},
    }
    found = Facts(**{**well, **changes})
    if not found.files:
        placed = {
            file.path: Found(
                content=file.content(values(found)), mode="644", folder="/etc", unfinished=False
            )
            for file in PLACED
        }
        found = replace(found, files=placed)
    return found
