"""The browser of the page's tests: the distribution's own, installed when it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

PACKAGE = "chromium-headless-shell"
"""Debian's Chromium without the browser's own windows, which take a third of the processor time."""
INSTALLING = (
    f"Chromium is missing, and the page's tests need it: `apt-get install {PACKAGE}` runs now, as "
    "root on this machine. To leave these tests out: -m 'not browser'."
)


def chromium(say: Callable[[str], None]) -> str:
    """Path of Chromium; never skips a test for want of it. Says so before it installs anything.

    Raises:
        RuntimeError: it is missing and cannot be installed from here.
    """
    if found := shutil.which(PACKAGE) or shutil.which("chromium"):
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError(
            "The page's tests need Chromium, and only root can install it. Run "
            f"`sudo apt-get install {PACKAGE}` (Debian), or leave these tests out: "
            "`make check`, or pytest with -m 'not browser'."
        )
    say(INSTALLING)
    for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", PACKAGE]):
        subprocess.run(
            ["apt-get", *command],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            check=True,
            timeout=600,
        )
    if not (installed := shutil.which(PACKAGE)):
        raise RuntimeError(f"`apt-get install {PACKAGE}` succeeded but put nothing on the PATH.")
    return installed


def uncaptured(config: pytest.Config) -> Callable[[str], None]:
    """Print to stderr, past pytest's capture."""
    manager: Any = config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with manager.global_and_fixture_disabled() if manager else nullcontext():
            print(f"\n{text}", file=sys.stderr, flush=True)  # noqa: T201

    return say
