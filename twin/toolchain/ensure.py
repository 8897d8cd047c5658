"""Everything the twin runs, present: built here before, found on PATH, or built now."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import sys
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from twin.errors import TwinError
from twin.paths import cache_dir
from twin.toolchain import preflight, vllm
from twin.toolchain.build import RECIPE, build, folder, is_built
from twin.toolchain.go_tools import GO_TOOLS, GoTool, fits, modules
from twin.toolchain.overview import Overview
from twin.toolchain.program import ask
from twin.toolchain.toolchain import Toolchain

SECONDS_AFTERWARDS = 75
"""To start the twin and deploy to it, once all tools are there."""


def ensure(console: Console) -> Toolchain:
    """Find or build every tool; the second call takes no time.

    What was built here before goes first, so that a changed PATH changes no twin that runs.

    Raises:
        TwinError: something cannot be had, with what to do about it.
    """
    cache = cache_dir()
    callers = path_of_others(os.environ["PATH"])
    missing = [t for t in GO_TOOLS if not is_built(t, cache) and not is_on_path(t, callers)]
    with_vllm = not vllm.is_installed(cache)
    if missing or with_vllm:
        preflight.check(missing, cache)
        with only_one(cache / "lock"):
            console.print(f"[bold]Preparing the tools once[/bold], in {cache}", soft_wrap=True)
            _run(_prepare(missing, cache, console, with_vllm=with_vllm))
    own = (str(folder(cache)), str(Path(sys.executable).parent))
    path = os.pathsep.join(dict.fromkeys((*own, *callers.split(os.pathsep))))
    return Toolchain(path, vllm.python(cache))


def originals(tools: Sequence[GoTool], console: Console) -> Path:
    """The folder of what emulators are held against, built at the first call.

    Raises:
        TwinError: they cannot be built, with what to do about it.
    """
    cache = cache_dir()
    built_by = modules(tools)
    missing = [tool for tool in tools if not is_built(tool, cache, built_by)]
    if missing:
        go = preflight.find_go(cache)
        overview = Overview(console, 0)

        async def prepare() -> None:
            async with overview.shown():
                await build(missing, cache, go, overview, built_by)

        with only_one(cache / "lock"):
            _run(prepare())
    return folder(cache, built_by)


def path_of_others(path: str) -> str:
    """PATH without folders that this project built, which `hub env` puts there."""
    folders = [f for f in path.split(os.pathsep) if f and not (Path(f) / RECIPE).exists()]
    return os.pathsep.join(dict.fromkeys(folders))


def is_on_path(tool: GoTool, path: str) -> bool:
    """Whether all programs of a tool are on PATH in a fitting version."""
    if any(shutil.which(program, path=path) is None for program in tool.programs):
        return False
    return fits(ask((tool.programs[0], *tool.version_command), path).version, tool.version)


async def _prepare(
    missing: list[GoTool], cache: Path, console: Console, *, with_vllm: bool
) -> None:
    """Build and install side by side: downloads wait for the network, compiles for processors."""
    go = preflight.find_go(cache) if missing else None
    overview = Overview(console, SECONDS_AFTERWARDS)
    async with overview.shown(), asyncio.TaskGroup() as group:
        if go:
            group.create_task(build(missing, cache, go, overview))
        if with_vllm:
            group.create_task(vllm.install(cache, overview))


def _run(preparing: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(preparing)
    except* TwinError as errors:
        raise _first(errors) from None


def _first(errors: ExceptionGroup[TwinError]) -> TwinError:
    """What went wrong first; the others were stopped because of it."""
    first = errors.exceptions[0]
    return first if isinstance(first, TwinError) else _first(first)


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
