"""The programs that the benchmark needs beside the project's own, made once in the cache.

wrk, nginx and HAProxy are Debian's packages, unpacked and not installed. The upstream and the
reader of streams are built from ``programs/`` with Go. LiteLLM has an environment of its own, from
``litellm/requirements.txt``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.errors import TwinError
from twin.paths import cache_dir
from twin.toolchain import debian, preflight

HERE = Path(__file__).parent
DEBIAN = (
    *("wrk=4.1.0-3+b2", "libluajit-5.1-2", "libluajit-5.1-common"),
    *("nginx", "libpcre2-8-0"),
    *("haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"),
)
"""The load generator has one version, as it measures; nginx and HAProxy have Debian's newest."""
LITELLM = HERE / "litellm" / "requirements.txt"


@dataclass(frozen=True)
class Programs:
    """Where the programs are."""

    debian: debian.Unpacked
    built: Path
    litellm: Path

    @property
    def path(self) -> str:
        """Their folders, for PATH."""
        return os.pathsep.join(map(str, (self.built, *self.debian.programs)))


def ensure() -> Programs:
    """Download or build what is missing; the second call takes no time.

    Raises:
        TwinError: something cannot be had.
    """
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    sources = sorted((HERE / "programs").rglob("*.go"))
    programs = Programs(
        debian.unpacked("bench-debian", DEBIAN),
        cache / f"bench-go-{_digest(b''.join(f.read_bytes() for f in sources))}",
        cache / f"bench-litellm-{_digest(LITELLM.read_bytes())}",
    )
    for target, make in (
        (programs.built, _build),
        (programs.litellm, _install_litellm),
    ):
        if not (target / "complete").exists():
            print(f"Preparing {target.name} once, in {cache}")
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            make(target)
            (target / "complete").touch()
    return programs


def _build(target: Path) -> None:
    go = preflight.find_go(cache_dir())
    _run([go, "build", "-trimpath", "-o", f"{target}/", "./..."], cwd=HERE / "programs")


def _install_litellm(target: Path) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", target])
    install = (sys.executable, "-m", "uv", "pip", "install", "--no-deps", "--require-hashes")
    _run([*install, "--compile-bytecode", "--python", target / "bin" / "python", "-r", LITELLM])


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def _run(argv: Sequence[str | Path], *, cwd: Path = HERE) -> None:
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        command = " ".join(map(str, argv[:3]))
        raise TwinError(f"`{command} …` failed\n{done.stdout}{done.stderr}")
