"""Everything the twin runs, present: found on PATH in a fitting version, or built once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from twin.errors import TwinError
from twin.paths import cache_dir
from twin.toolchain import preflight, vllm
from twin.toolchain.build import build, folder, put_language_host_beside_engine
from twin.toolchain.go_tools import GO_TOOLS, GoTool, fits
from twin.toolchain.progress import Progress


@dataclass(frozen=True)
class Toolchain:
    """Where the programs are."""

    path: str
    """PATH for every part: the programs' folders first, then the caller's own."""
    vllm_python: Path


def ensure(progress: Progress) -> Toolchain:
    """Find or build every tool; the second call takes no time.

    Raises:
        TwinError: something cannot be had, with what to do about it.
    """
    cache = cache_dir()
    on_path = {tool.name for tool in GO_TOOLS if is_on_path(tool)}
    missing = [t for t in GO_TOOLS if t.name not in on_path and not folder(t, cache).is_dir()]
    vllm_missing = not (vllm.environment(cache) / "complete").exists()
    if missing or vllm_missing:
        preflight.check(missing, cache)
        with only_one(cache / "lock"):
            if missing:
                _build_all(missing, cache, progress)
            vllm.install(cache, progress)
    folders = [folder(tool, cache) for tool in GO_TOOLS if tool.name not in on_path]
    path = [*map(str, folders), str(Path(sys.executable).parent), os.environ["PATH"]]
    return Toolchain(os.pathsep.join(path), vllm.python(cache))


def is_on_path(tool: GoTool) -> bool:
    """Whether all programs of a tool are on PATH in a fitting version."""
    if not tool.version_command or any(shutil.which(p) is None for p in tool.programs):
        return False
    said = subprocess.run(
        [tool.programs[0], *tool.version_command], capture_output=True, text=True, check=False
    )
    return fits(said.stdout + said.stderr, tool.version)


def _build_all(missing: list[GoTool], cache: Path, progress: Progress) -> None:
    minutes = sum(tool.estimate_seconds for tool in missing) // 60 + 1
    progress.say(f"Building {len(missing)} tools once into {cache}: about {minutes} min on 2 cores")
    go = preflight.find_go(cache)
    for tool in missing:
        build(tool, cache, go, progress)
    by_name = {tool.name: folder(tool, cache) for tool in GO_TOOLS}
    if by_name["pulumi"].is_dir() and by_name["pulumi-language-python"].is_dir():
        put_language_host_beside_engine(by_name["pulumi"], by_name["pulumi-language-python"], go)


@contextmanager
def only_one(lock: Path) -> Generator[None]:
    """Hold the cache for one process; the kernel lets go of the lock however that process ends."""
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise TwinError(
                f"Process {file.read().strip()} is already preparing the tools in {lock.parent}; "
                "wait for it to end, then run the same command again"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
