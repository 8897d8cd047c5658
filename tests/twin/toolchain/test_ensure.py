"""Finding and building tools, with a fake Go that is slow, wrong or right on demand."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from twin.errors import TwinError
from twin.paths import TwinPaths
from twin.toolchain import build as building
from twin.toolchain import ensure as toolchain
from twin.toolchain import preflight, vllm
from twin.toolchain.build import build, folder, is_built
from twin.toolchain.go_tools import GO_TOOLS
from twin.toolchain.overview import Overview
from twin.toolchain.toolchain import Toolchain

TOOLS = {tool.name: tool for tool in GO_TOOLS}
KINE = TOOLS["kine"]
LIST = """if [ "$1" = list ]
then echo '{"ImportPath": "m/kine", "Dir": "/", "Stale": true}'; exit; fi
"""
BUILD = """while [ "$1" != -o ]; do shift; done; out=$2; shift 2
for p; do touch "$out$(basename "$p")"; chmod 755 "$out$(basename "$p")"; done"""

Write = Callable[[str, str], Path]


@pytest.fixture
def overview() -> Overview:
    return Overview(Console(file=io.StringIO(), width=200), 0)


@pytest.fixture
def program(tmp_path: Path) -> Write:
    """Writes a shell script that stands for a program."""

    def write(name: str, script: str) -> Path:
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    return write


def run_build(tool: str, cache: Path, go: Path, overview: Overview) -> None:
    try:
        asyncio.run(build([TOOLS[tool]], cache, go, overview))
    except* TwinError as errors:
        raise errors.exceptions[0] from None


def test_a_program_is_built_into_a_folder_named_after_its_recipe(
    tmp_path: Path, program: Write, overview: Overview
) -> None:
    run_build("kine", tmp_path, program("go", LIST + BUILD), overview)
    assert is_built(KINE, tmp_path)
    assert {file.name for file in folder(tmp_path).iterdir()} == {"kine", building.RECIPE}


def test_one_file_answers_to_several_names(
    tmp_path: Path, program: Write, overview: Overview
) -> None:
    run_build("kubernetes", tmp_path, program("go", LIST + BUILD), overview)
    for name in TOOLS["kubernetes"].programs:
        assert (folder(tmp_path) / name).readlink() == Path("kube")


def test_a_build_that_fails_leaves_nothing_and_tells_the_compilers_last_lines(
    tmp_path: Path, program: Write, overview: Overview
) -> None:
    go = program("go", LIST + "echo cannot find module >&2; exit 1")
    with pytest.raises(TwinError, match=r"kine could not be built:\n  cannot find module"):
        run_build("kine", tmp_path, go, overview)
    assert not is_built(KINE, tmp_path)
    assert list((tmp_path / "tools").glob(".build-*")) == []


@pytest.mark.parametrize(
    ("printed", "advice"),
    [
        ("write x.a: no space left on device", "The disk is full"),
        ("dial tcp: connection refused", "Are the package registries reachable"),
    ],
)
def test_a_failed_download_says_what_to_do(
    tmp_path: Path, program: Write, overview: Overview, printed: str, advice: str
) -> None:
    with pytest.raises(TwinError, match=f"could not be downloaded:\n  {printed}\n{advice}"):
        run_build("kine", tmp_path, program("go", f"echo {printed} >&2; exit 1"), overview)


def test_what_a_killed_build_left_is_removed_by_the_next(
    tmp_path: Path, program: Write, overview: Overview
) -> None:
    left = tmp_path / "tools" / ".build-killed"
    left.mkdir(parents=True)
    (left / "pulumi").touch()
    run_build("kine", tmp_path, program("go", LIST + BUILD), overview)
    assert not left.exists()


def test_when_one_thing_fails_what_runs_beside_it_is_ended(
    tmp_path: Path, program: Write, overview: Overview
) -> None:
    go = program("go", 'case "$*" in *language-python*) exit 1;; esac\nexec sleep 60')
    with pytest.raises(TwinError, match="could not be downloaded"):
        run_build("pulumi", tmp_path, go, overview)


@pytest.mark.parametrize(
    ("said", "taken"), [("v0.17.5", True), ("v0.18.0", True), ("v0.17.4", False), ("dev", False)]
)
def test_a_program_on_path_is_taken_in_a_fitting_version_only(
    program: Write, said: str, taken: bool
) -> None:
    path = f"{program('kine', f'echo kine version {said}').parent}:/bin"
    assert toolchain.is_on_path(KINE, path) is taken


def test_of_a_tool_with_several_programs_all_must_be_on_path(program: Write) -> None:
    pulumi = program("pulumi", "echo v3.259.0")
    assert not toolchain.is_on_path(TOOLS["pulumi"], f"{pulumi.parent}:/bin")


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache where everything is built, in HUB_CACHE."""
    monkeypatch.setenv("HUB_CACHE", str(tmp_path))
    target = folder(tmp_path)
    target.mkdir(parents=True)
    (target / building.RECIPE).touch()
    for tool in GO_TOOLS:
        for name in tool.programs:
            (target / name).write_text(f"#!/bin/sh\necho v{tool.version}\n")
            (target / name).chmod(0o755)
    vllm.python(tmp_path).parent.mkdir(parents=True)
    vllm.python(tmp_path).touch()
    (vllm.environment(tmp_path) / "complete").touch()

    async def install(*_: object) -> None:
        raise AssertionError("all is there, and vLLM is installed once more")

    monkeypatch.setattr(vllm, "install", install)
    return target


def test_after_hub_env_the_same_tools_are_found_in_the_same_order(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = toolchain.ensure(Console(file=io.StringIO()))
    assert first.path.startswith(f"{built}:")
    monkeypatch.setenv("PATH", first.path)
    assert toolchain.ensure(Console(file=io.StringIO())) == first


def test_our_own_programs_on_path_are_not_taken_for_the_users(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_CACHE", str(tmp_path / "another"))
    assert str(built) not in toolchain.path_of_others(f"{built}:/bin")


def test_what_up_wrote_down_is_found_in_a_shell_with_another_path(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = TwinPaths(tmp_path)
    (tmp_path / "twin.json").write_text('{"gateway_port": 1}')
    Toolchain(f"{built}:/bin", Path("/v/python")).keep(paths)
    monkeypatch.setenv("PATH", "/bin:/mine")
    assert Toolchain.of_running_twin(paths) == Toolchain(f"{built}:/bin:/mine", Path("/v/python"))
    assert json.loads((tmp_path / "twin.json").read_text())["gateway_port"] == 1


def test_tools_that_are_gone_are_told_in_words(built: Path, tmp_path: Path) -> None:
    paths = TwinPaths(tmp_path)
    (tmp_path / "twin.json").write_text("{}")
    with pytest.raises(TwinError, match="earlier version"):
        Toolchain.of_running_twin(paths)
    Toolchain(str(tmp_path / "gone"), Path("/v/python")).keep(paths)
    with pytest.raises(TwinError, match=r"are gone from .*`hub up` makes them again"):
        Toolchain.of_running_twin(paths)


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
    tmp_path: Path, program: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = program("go", '[ "$1" = version ] && echo go version go1.26.8 linux/amd64 && exit; exit 1')
    monkeypatch.setenv("PATH", str(go.parent))
    disk_has(3_000_000_000, monkeypatch)
    with pytest.raises(TwinError) as error:
        preflight.check([KINE], tmp_path / "cache")
    told = str(error.value)
    for part in (
        "3 GB free",
        "GB needed",
        "unshare is not on PATH; install your system's util-linux",
        "ip is not on PATH",
        "the Go module proxy does not answer",
    ):
        assert part in told


def test_nothing_is_told_when_nothing_is_missing(
    tmp_path: Path, program: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in preflight.SYSTEM_PROGRAMS:
        program(name, "")
    go = program("go", "echo go version go1.26.8 linux/amd64")
    monkeypatch.setenv("PATH", str(go.parent))
    disk_has(30_000_000_000, monkeypatch)
    preflight.check([KINE], tmp_path / "cache")


def test_the_systems_go_is_taken_when_it_is_new_enough(
    tmp_path: Path, program: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = program("go", "echo go version go1.27.0 linux/amd64")
    monkeypatch.setenv("PATH", f"{go.parent}:/bin")
    assert preflight.find_go(tmp_path) == go


def test_a_changed_recipe_is_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folder(tmp_path)
    monkeypatch.setattr(building, "GCFLAGS", "all=-N")
    assert folder(tmp_path) != before
