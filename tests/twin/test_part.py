"""Supervision, on real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.support.signals import ignored
from tests.support.waiting import until
from twin.errors import TwinError
from twin.parts import part
from twin.parts.part import MARK, Part, end_strays, records, recovers, start, stop, sweep
from twin.paths import TwinPaths
from twin.toolchain.program import Program, package_version


@pytest.fixture
def paths(tmp_path: Path) -> TwinPaths:
    found = TwinPaths(tmp_path)
    found.logs.mkdir()
    found.parts.mkdir()
    return found


def marked(paths: TwinPaths) -> dict[str, str]:
    return {**os.environ, MARK: str(paths.root)}


def shell(name: str, script: str, paths: TwinPaths, *, seconds: int = 10) -> Part:
    ready = paths.root / f"{name}.ready"
    return Part(
        name=name,
        argv=("sh", "-c", script.replace("READY", f"touch {ready}")),
        is_ready=ready.exists,
        seconds_to_ready=seconds,
    )


def test_a_started_part_is_recorded_running_and_stopped(paths: TwinPaths) -> None:
    record = start(shell("sleeper", "READY; exec sleep 60", paths), paths, os.environ["PATH"])
    assert [(r.name, r.process is not None) for r in records(paths)] == [("sleeper", True)]
    stop(record, paths)
    assert records(paths) == []
    assert record.process is None


def test_a_part_is_recorded_with_the_version_that_its_program_says_and_where_that_was_found(
    paths: TwinPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, version in (("built", "v1.2.3"), ("others", "v9.9.9")):
        program = tmp_path / folder / "kine"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\necho "kine version {version} (HEAD)"; echo go1.26.8 >&2\n')
        program.chmod(0o755)
    path = f"{tmp_path}/built:{tmp_path}/others:{os.environ['PATH']}"
    part = replace(
        shell("kine", "READY; exec sleep 60", paths),
        programs={
            "kine": ("kine", "--version"),
            "mute": ("true",),
            "lacks": package_version(sys.executable, "no-such-package"),
        },
    )
    stop(start(part, paths, path), paths)
    start(part, paths, path)
    [record] = records(paths)
    stop(record, paths)
    assert record.programs == {
        "kine": Program(f"{tmp_path}/built/kine", "1.2.3"),
        "mute": Program(shutil.which("true") or "", ""),
        "lacks": Program(sys.executable, ""),
    }
    assert record.programs["kine"].source == f"{tmp_path}/built"
    monkeypatch.setenv("HUB_CACHE", str(tmp_path))
    assert record.programs["kine"].source == "the cache"


def test_a_part_of_an_older_version_of_hub_is_recorded_without_programs(paths: TwinPaths) -> None:
    old = '{"name": "kine", "pid": 1, "created": 1.5, "fingerprint": "f"}'
    (paths.parts / "kine.json").write_text(old)
    assert [(one.name, one.programs) for one in records(paths)] == [("kine", {})]


def test_a_part_that_ends_at_once_is_told_with_its_last_words(paths: TwinPaths) -> None:
    with pytest.raises(TwinError, match=r"broken ended at once \(3\):\n  no such thing"):
        start(shell("broken", "echo no such thing; exit 3", paths), paths, os.environ["PATH"])


def test_a_part_that_never_gets_ready_is_told_and_swept(paths: TwinPaths) -> None:
    slow = shell("slow", "echo still loading; exec sleep 60", paths, seconds=1)
    with pytest.raises(TwinError, match=r"slow was not ready after 1 s:\n  still loading"):
        start(slow, paths, os.environ["PATH"])
    assert sweep(paths) == ["sleep"]


@pytest.mark.parametrize(
    ("looks_until_ready", "patience", "answer"), [(1, 0, True), (4, 20, True), (4, 0, False)]
)
def test_a_part_that_runs_may_be_unready_for_a_while(
    looks_until_ready: int, patience: float, answer: bool
) -> None:
    looks: list[int] = []

    def ready() -> bool:
        looks.append(1)
        return len(looks) >= looks_until_ready

    waiting = Part(name="p", argv=(), is_ready=ready, seconds_to_recover=patience)
    assert recovers(waiting) is answer


def test_a_part_that_died_is_known_as_dead(paths: TwinPaths) -> None:
    record = start(shell("mortal", "READY; exec sleep 60", paths), paths, os.environ["PATH"])
    assert record.process is not None
    process = record.process
    process.kill()
    psutil.wait_procs([process], timeout=5)
    assert [(r.name, r.process) for r in records(paths)] == [("mortal", None)]


def test_a_part_that_somebody_has_stopped_is_known_and_can_be_ended(paths: TwinPaths) -> None:
    record = start(shell("sleeper", "READY; exec sleep 60", paths), paths, os.environ["PATH"])
    assert record.state == "running"
    os.kill(record.pid, signal.SIGSTOP)
    until(lambda: record.state == "stopped")
    stop(record, paths, seconds=0.2)
    assert record.state == "ended"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE])
def test_a_part_does_not_ignore_what_its_starter_ignores(
    paths: TwinPaths, number: signal.Signals
) -> None:
    with ignored(number):
        part = shell("sleeper", "READY; exec sleep 60", paths)
        record = start(part, paths, os.environ["PATH"])
    assert record.process is not None
    os.kill(record.pid, number)
    assert os.waitstatus_to_exitcode(os.waitpid(record.pid, 0)[1]) == -number
    assert record.process is None


def test_a_process_that_ignores_sigterm_is_killed(paths: TwinPaths) -> None:
    script = "trap '' TERM; READY; while :; do sleep 1; done"
    record = start(shell("stubborn", script, paths), paths, os.environ["PATH"])
    stop(record, paths, seconds=0.5)
    assert record.process is None
    sweep(paths)


def test_a_marked_process_of_no_part_is_ended_and_a_parts_child_is_not(paths: TwinPaths) -> None:
    record = start(shell("parent", "sleep 61 & READY; wait", paths), paths, os.environ["PATH"])
    with subprocess.Popen(["sleep", "62"], env=marked(paths)) as stray:
        assert end_strays(paths) == ["sleep"]
        assert not psutil.pid_exists(stray.pid)
    assert record.process is not None
    assert end_strays(paths) == []
    assert sorted(sweep(paths)) == ["sh", "sleep"]


def test_a_process_that_wrote_over_its_environment_is_found_by_where_it_prints(
    paths: TwinPaths,
) -> None:
    # As vLLM's engine, which changes its title; its parent was killed with the power of home.
    log = paths.logs / "vllm.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file, subprocess.Popen(["sleep", "64"], stdout=file, env={}):
        assert sweep(paths) == ["sleep"]


def test_a_process_that_ends_while_the_others_are_ended_is_no_trouble(
    paths: TwinPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the children of a killed `pulumi`, whose language host ends them when it ends.
    with subprocess.Popen(["sleep", "63"]) as process:
        gone = psutil.Process(process.pid)
        process.kill()

    def marked(_: TwinPaths) -> dict[psutil.Process, str]:
        return {gone: "pulumi"}

    monkeypatch.setattr(part, "_marked", marked)
    assert end_strays(paths) == ["pulumi"]


def test_another_argument_or_another_key_in_the_environment_is_another_fingerprint() -> None:
    part = Part(name="client", argv=("run",), is_ready=lambda: True, env={"KEY": "old"})
    assert replace(part, env={"KEY": "new"}).fingerprint != part.fingerprint
    assert replace(part, argv=("run", "-v")).fingerprint != part.fingerprint
    assert replace(part, stop_seconds=1).fingerprint == part.fingerprint
    assert "old" not in part.fingerprint


def test_another_line_in_what_a_part_runs_is_another_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/node.py").write_text("a = 1")
    part = Part(name="node", argv=("run",), is_ready=lambda: True, source=tmp_path)
    before = part.fingerprint
    (tmp_path / "notes.md").write_text("no program")
    assert part.fingerprint == before
    (tmp_path / "inner/node.py").write_text("a = 2")
    assert part.fingerprint != before
