"""A program as it is found here, and the version that it says it has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.paths import cache_dir

VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Program:
    """What was found, and asked once."""

    file: str
    version: str
    """Empty if it does not say it."""

    @property
    def source(self) -> str:
        """Where it was found: what is in the cache was built or installed by this project."""
        is_cached = Path(self.file).is_relative_to(cache_dir())
        return "the cache" if is_cached else str(Path(self.file).parent)


def ask(command: Sequence[str], path: str) -> Program:
    """Run the command that makes a program on PATH say its version."""
    file = shutil.which(command[0], path=path) or command[0]
    said = subprocess.run(
        command,
        executable=file,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    # What one says that fails is no version of it, such as Python's in a traceback.
    version = VERSION.search(said.stdout + said.stderr) if said.returncode == 0 else None
    return Program(file, version[0] if version else "")


def package_version(python: str, package: str) -> tuple[str, ...]:
    """The command that makes an environment say which version of a package it has."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return (python, "-c", code)


def asked(commands: Mapping[str, Sequence[str]], path: str) -> dict[str, Program]:
    """Each program by its name."""
    return {name: ask(command, path) for name, command in commands.items()}
