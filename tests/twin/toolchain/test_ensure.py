"""Finding and building tools, with a stand-in for Go that is slow, wrong or right on demand."""

from __future__ import annotations

import fcntl
import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from twin.errors import TwinError
from twin.toolchain import ensure as toolchain
from twin.toolchain import preflight
from twin.toolchain.build import build, folder
from twin.toolchain.go_tools import GO_TOOLS
from twin.toolchain.progress import Progress

[KINE] = [tool for tool in GO_TOOLS if tool.name == "kine"]


@pytest.fixture
def progress() -> Progress:
    return Progress(Console(file=io.StringIO(), width=200))


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a shell script that stands for a program."""

    def write(name: str, script: str) -> Path:
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    return write


def test_a_tool_is_built_once_into_a_folder_named_after_its_recipe(
    tmp_path: Path, program: Callable[[str, str], Path], progress: Progress
) -> None:
    count = tmp_path / "count"
    go = program("go", f'echo . >> {count}; while [ "$1" != -o ]; do shift; done; touch "$2/kine"')
    first = build(KINE, tmp_path, go, progress)
    assert first == build(KINE, tmp_path, go, progress) == folder(KINE, tmp_path)
    assert [file.name for file in first.iterdir()] == ["kine"]
    assert count.read_text() == ".\n"


def test_a_build_that_fails_leaves_nothing_and_tells_the_compilers_last_lines(
    tmp_path: Path, program: Callable[[str, str], Path], progress: Progress
) -> None:
    go = program("go", "echo cannot find module; exit 1")
    with pytest.raises(TwinError, match=r"kine 0\.17\.5 could not be built:\n  cannot find module"):
        build(KINE, tmp_path, go, progress)
    assert list((tmp_path / "tools").iterdir()) == []


@pytest.mark.parametrize(
    ("said", "taken"), [("v0.17.5", True), ("v0.18.0", True), ("v0.17.4", False), ("dev", False)]
)
def test_a_program_on_path_is_taken_in_a_fitting_version_only(
    program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, said: str, taken: bool
) -> None:
    monkeypatch.setenv("PATH", f"{program('kine', f'echo kine version {said}').parent}:/bin")
    assert toolchain.is_on_path(KINE) is taken


def test_of_a_tool_with_several_programs_all_must_be_on_path(
    program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    [tailnet] = [tool for tool in GO_TOOLS if tool.name == "tailnet"]
    headscale = program("headscale", "echo headscale version v0.29.2")
    monkeypatch.setenv("PATH", f"{headscale.parent}:/bin")
    assert not toolchain.is_on_path(tailnet)


def test_two_at_once_are_refused_and_the_first_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write("4711")
        other.flush()
        with (
            pytest.raises(TwinError, match="Process 4711 is already preparing the tools"),
            toolchain.only_one(lock),
        ):
            pass
    with toolchain.only_one(lock):
        assert lock.read_text() == str(os.getpid())


def disk_has(free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(_path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free)

    monkeypatch.setattr("shutil.disk_usage", usage)


def test_everything_that_is_missing_is_told_at_once_before_anything_starts(
    tmp_path: Path, program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = program("go", '[ "$1" = version ] && echo go version go1.26.8 linux/amd64 && exit; exit 1')
    monkeypatch.setenv("PATH", str(go.parent))
    disk_has(3_000_000_000, monkeypatch)
    with pytest.raises(TwinError) as error:
        preflight.check([KINE], tmp_path / "cache")
    told = str(error.value)
    for part in (
        "3 GB free",
        "20 GB needed",
        "no C compiler",
        "unshare is not on PATH; install your system's util-linux",
        "ip is not on PATH",
        "the Go module proxy does not answer",
    ):
        assert part in told


def test_nothing_is_told_when_nothing_is_missing(
    tmp_path: Path, program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gcc", "unshare", "ip"):
        program(name, "")
    go = program("go", "echo go version go1.26.8 linux/amd64")
    monkeypatch.setenv("PATH", str(go.parent))
    disk_has(30_000_000_000, monkeypatch)
    preflight.check([KINE], tmp_path / "cache")


def test_the_systems_go_is_taken_when_it_is_new_enough(
    tmp_path: Path, program: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = program("go", "echo go version go1.27.0 linux/amd64")
    monkeypatch.setenv("PATH", f"{go.parent}:/bin")
    assert preflight.find_go(tmp_path) == go


def test_a_changed_recipe_is_another_folder(tmp_path: Path) -> None:
    assert folder(replace(KINE, ldflags="-X a=b"), tmp_path) != folder(KINE, tmp_path)
