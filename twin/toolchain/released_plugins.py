"""Pulumi's released provider plugins, where this machine's network gives them.

The emulators stand in for them elsewhere. Installed is the SDK's version, which is the one that the
engine looks for, into Pulumi's own plugin folder, as `pulumi up` does for the real deployment.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import version

REPLACEABLE = ("kubernetes", "random")
"""Providers whose released plugin can work against the twin; the other two need their cloud."""
LONGEST_SECONDS = 60
"""For one plugin: 40 MB on a slow line. A network that answers nothing must not stop `hub up`."""


def found(env: Mapping[str, str]) -> dict[str, str]:
    """Where the engine finds a plugin by itself, by provider: ``the plugin folder`` or ``PATH``."""
    places = {
        name: "PATH"
        for name in REPLACEABLE
        if shutil.which(f"pulumi-resource-{name}", path=env["PATH"])
    }
    listed = _pulumi(env, "plugin", "ls", "--json")
    for plugin in json.loads(listed.stdout or "[]"):
        name = plugin["name"]
        # The engine takes no other version from its folder; from PATH it takes any.
        if plugin["kind"] == "resource" and name in REPLACEABLE and plugin["version"] == sdk(name):
            places.setdefault(name, "the plugin folder")
    return places


def install(env: Mapping[str, str]) -> None:
    """Download what is not found; what this network does not give is emulated."""
    for name in sorted(set(REPLACEABLE) - found(env).keys()):
        done = _pulumi(env, "plugin", "install", "resource", name, sdk(name), "--exact")
        if done.returncode != 0:
            return  # the other one comes from the same place


def sdk(name: str) -> str:
    """The version of a provider's SDK that the program uses."""
    return version(f"pulumi-{name}")


def _pulumi(env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [shutil.which("pulumi", path=env["PATH"]) or "pulumi", *arguments]
    try:
        return subprocess.run(
            line, env=env, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(line, 1, "", "")
