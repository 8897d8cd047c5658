"""Build the Go programs once into the cache.

Interrupting is safe: Go keeps each compiled package, and programs are moved into place only when
all of one module are there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.toolchain.go_list import LISTING, Package, listed
from twin.toolchain.go_tools import (
    ALL_OTHERS,
    KUBERNETES,
    LANGUAGE_HOST,
    NODE,
    RANDOM,
    TWINS,
    GoModule,
    GoTool,
    Program,
    of_module,
)
from twin.toolchain.overview import Overview, Work
from twin.toolchain.shown import run_shown

RECIPE = "recipe.json"
"""Says how the programs beside it were built, and that they are this project's own."""
COMPILER = {
    # Nothing links C, so packages are compiled once for all and no C compiler is needed.
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
GCFLAGS = "all=-l -dwarf=false"
"""No inlining, and no debugging tables, which the linker would throw away: each a fifth less to
compile."""
CORES = os.cpu_count() or 1
ONE_COMPILER = {
    # As many compilers as cores, each on one core: a package is mostly too small to share out.
    "GOMAXPROCS": "1",
    # A compiler lives for a second: it collects garbage only where memory would run out.
    "GOGC": "off",
    "GOMEMLIMIT": "2GiB",
}
DOWNLOADS_AT_ONCE = 16
"""Go downloads as many modules at once as it may use processors; downloads wait, not compute."""
HOST_SCRIPT = "pulumi-language-python-exec"
SECONDS_TO_DOWNLOAD = 45
SECONDS_TO_LINK = 4
"""Each program."""
EXPECTED_SECONDS = {
    ALL_OTHERS.name: 400,
    LANGUAGE_HOST.name: 40,
    RANDOM.name: 115,
    KUBERNETES.name: 140,
    NODE.name: 65,
}
"""To compile, on two free cores; measured. What Go lists then says it more exactly."""


def recipe(modules: Sequence[GoModule] = TWINS) -> dict[str, object]:
    """Everything that shapes the programs."""
    described = {
        module.name: {
            "tags": module.tags,
            "ldflags": module.ldflags,
            "sources": {
                str(file.relative_to(module.folder)): hashlib.sha256(file.read_bytes()).hexdigest()
                for file in sorted(module.folder.rglob("*"))
                if file.is_file()
            },
        }
        for module in modules
    }
    return {"modules": described, "compiler": COMPILER, "gcflags": GCFLAGS}


def folder(cache: Path, modules: Sequence[GoModule] = TWINS) -> Path:
    """Where the programs lie; its name changes when anything that shapes them does."""
    digest = hashlib.sha256(json.dumps(recipe(modules), sort_keys=True).encode()).hexdigest()
    return cache / "tools" / f"go-{digest[:8]}"


def is_built(tool: GoTool, cache: Path, modules: Sequence[GoModule] = TWINS) -> bool:
    target = folder(cache, modules)
    return all((target / name).exists() for name in tool.programs)


@dataclass(frozen=True)
class Order:
    """The programs to build of one module, with one command."""

    module: GoModule
    programs: list[Program]
    go: Path

    @property
    def names(self) -> str:
        return ", ".join(name for p in self.programs for name in p.names or (p.file,))

    @property
    def packages(self) -> list[str]:
        return [program.package for program in self.programs]


async def build(
    missing: Sequence[GoTool],
    cache: Path,
    go: Path,
    overview: Overview,
    modules: Sequence[GoModule] = TWINS,
) -> None:
    """Build what is missing; the caller holds the cache's lock.

    Raises:
        ExceptionGroup: of TwinErrors: Go could not download or compile something.
    """
    target = _empty_shelf(cache, modules)
    async with asyncio.TaskGroup() as group:
        for module in modules:
            if programs := of_module(missing, module):
                group.create_task(_build(Order(module, programs, go), target, overview))


def _empty_shelf(cache: Path, modules: Sequence[GoModule]) -> Path:
    """The folder for the programs, without what a killed run left beside it."""
    target = folder(cache, modules)
    target.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(".build-*"):
        shutil.rmtree(left, ignore_errors=True)
    (target / RECIPE).write_text(json.dumps(recipe(modules), indent=1))
    return target


async def _build(order: Order, target: Path, overview: Overview) -> None:
    title, expected = order.module.title, EXPECTED_SECONDS[order.module.name]
    download = overview.plan(f"downloading {title}", SECONDS_TO_DOWNLOAD)
    compilation = overview.plan(f"building {title}", expected)
    with overview.running(download):
        found = await _download(order, download)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".build-"))
    try:
        with overview.running(compilation):
            await _compile(order, found, scratch, compilation)
        _move(order, found, scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _download(order: Order, work: Work) -> list[Package]:
    """Download what is missing, and say what there is to compile."""

    def show(line: str) -> None:
        work.detail = line.removeprefix("go: downloading ")

    printed = await run_shown(
        [order.go, "list", *_flags(order.module), *LISTING, *order.packages],
        show,
        failed=f"The Go packages of {order.names} could not be downloaded",
        cwd=order.module.folder,
        env={**os.environ, **COMPILER, "GOMAXPROCS": str(DOWNLOADS_AT_ONCE)},
    )
    return listed(printed)


async def _compile(order: Order, found: list[Package], scratch: Path, work: Work) -> None:
    waiting = {package.path: package.seconds for package in found if package.stale}
    count, compiled = len(waiting), 0.0
    work.counts = True
    work.share.expected = sum(waiting.values()) + SECONDS_TO_LINK * len(order.programs)

    def show(line: str) -> None:
        nonlocal compiled
        compiled += waiting.pop(line, 0)
        work.share.done = compiled + SECONDS_TO_LINK * sum(1 for _ in scratch.iterdir())
        work.detail = f"{count - len(waiting):,} of {count:,} packages, {line}"

    await run_shown(
        [
            *(order.go, "build", "-v", "-p", str(CORES), *_flags(order.module)),
            *("-ldflags", f"-s -w {order.module.ldflags}", "-o", f"{scratch}/", *order.packages),
        ],
        show,
        failed=f"{order.names} could not be built",
        cwd=order.module.folder,
        env={**os.environ, **COMPILER, **ONE_COMPILER},
    )


def _flags(module: GoModule) -> tuple[str, ...]:
    return ("-tags", ",".join(module.tags), "-gcflags", GCFLAGS)


def _move(order: Order, found: list[Package], scratch: Path, target: Path) -> None:
    """All programs of one module into place, with their other names and what is no Go program."""
    for program in order.programs:
        for name in program.names:
            (scratch / name).symlink_to(program.file)
    for package in found:
        script = package.folder.parent / HOST_SCRIPT
        if package.path.endswith("/cmd/pulumi-language-python") and script.exists():
            shutil.copy(script, scratch)
            (scratch / HOST_SCRIPT).chmod(0o755)
    for file in scratch.iterdir():
        file.rename(target / file.name)
