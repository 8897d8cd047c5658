"""Debian's packages, unpacked into the cache and not installed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.errors import TwinError
from twin.paths import cache_dir


@dataclass(frozen=True)
class Unpacked:
    """Some packages in one folder."""

    folder: Path

    @property
    def programs(self) -> tuple[Path, Path]:
        """The folders of their programs, for PATH."""
        return self.folder / "usr/sbin", self.folder / "usr/bin"

    @property
    def environment(self) -> dict[str, str]:
        """What their programs find their libraries with."""
        [libraries] = (self.folder / "usr/lib").glob("*-linux-gnu")
        return {"LD_LIBRARY_PATH": str(libraries)}


def unpacked(name: str, packages: Sequence[str]) -> Unpacked:
    """Download and unpack once; the second call takes no time.

    ``packages`` are ``name`` or ``name=version``, with all that they need beyond a base system.

    Raises:
        TwinError: a package cannot be had.
    """
    digest = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
    folder = cache_dir() / f"{name}-{digest}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _run(["apt-get", "download", "-q", *packages], folder)
        for package in folder.glob("*.deb"):
            _run(["dpkg", "-x", package, folder], folder)
            package.unlink()
        (folder / "complete").touch()
    return Unpacked(folder)


def _run(argv: Sequence[str | Path], folder: Path) -> None:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        command = " ".join(map(str, argv[:3]))
        raise TwinError(
            f"`{command} …` failed; try `apt-get update` first\n{done.stdout}{done.stderr}"
        )
