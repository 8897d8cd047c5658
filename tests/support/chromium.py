"""The browser of the page's tests: the distribution's own, installed when it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess


def chromium() -> str:
    """Path of Chromium; never skips a test for want of it.

    Raises:
        RuntimeError: it is missing and cannot be installed from here.
    """
    if found := shutil.which("chromium"):
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError(
            "The page's tests need Chromium. Install it (Debian: `sudo apt-get install chromium`), "
            "or leave them out with `-m 'not browser'`."
        )
    for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", "chromium"]):
        subprocess.run(
            ["apt-get", *command],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            check=True,
            timeout=600,
        )
    if not (installed := shutil.which("chromium")):
        raise RuntimeError("`apt-get install chromium` succeeded but put no chromium on the PATH.")
    return installed
