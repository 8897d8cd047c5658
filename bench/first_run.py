"""The first `make up` with all caches empty, timed by phase; everything it makes is removed.

    .venv/bin/python bench/first_run.py [--keep FOLDER]

It runs in this checkout with a home folder and ports of its own, beside any twin that runs.
It needs about 15 GB of disk. The machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
DONE = re.compile(r"✓ (?P<what>.+): (?P<took>[\d a-z]+)$")
PORTS = {
    "HUB_GATEWAY_PORT": "38080",
    "HUB_CLIENT_PORT": "38501",
    "HUB_KUBERNETES_PORT": "36443",
    "HUB_PROVIDERS_PORT": "37731",
}


PLACES = (
    *("GOPATH", "GOMODCACHE", "GOCACHE", "UV_CACHE_DIR", "PULUMI_HOME", "HUB_CACHE", "HUB_STATE"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"),
)
"""Each names a folder which otherwise is in the home folder."""


def empty_home(folder: Path) -> dict[str, str]:
    """An environment in which nothing was downloaded or built."""
    kept = {name: value for name, value in os.environ.items() if name not in PLACES}
    return {**kept, **PORTS, "HOME": str(folder)}


def phases(log: str) -> list[tuple[str, str]]:
    """What was done and how long each took, as `hub up` says it.

    >>> phases("  ✓ building all: 6 min 12 s\\nother")
    [('building all', '6 min 12 s')]
    """
    matches = (DONE.search(line) for line in log.splitlines())
    return [(found["what"], found["took"]) for found in matches if found]


def measure(env: dict[str, str], title: str) -> None:
    """Run `hub up` to its end and print its phases."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    hub = (sys.executable, "-m", "hub.cli")
    done = subprocess.run(
        [*hub, "up"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    took = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{title}: {took:.0f} s, {processor:.0f} CPU s without parts that still run")
    for what, spent in phases(done.stdout):
        print(f"  {what:60} {spent}")
    if done.returncode != 0:
        sys.exit(f"hub up failed:\n{done.stdout[-3000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="use this folder and leave it there")
    kept: Path | None = parser.parse_args().keep
    folder = kept or Path(tempfile.mkdtemp(prefix="first-"))
    env = empty_home(folder)
    hub = (sys.executable, "-m", "hub.cli")
    try:
        measure(env, "first `hub up`, all caches empty")
        measure(env, "`hub up` again, everything runs")
        subprocess.run([*hub, "clean"], cwd=ROOT, env=env, check=False)
        measure(env, "`hub up` after `hub clean`, tools cached")
    finally:
        subprocess.run([*hub, "clean"], cwd=ROOT, env=env, check=False)
        if kept is None:
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)  # Go's are read-only
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
