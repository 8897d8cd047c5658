"""Containers with a file system and a process tree of their own, real ones."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import until_async
from twin.containers.container import Container, ContainerSpec
from twin.containers.probes import Probe, failure
from twin.containers.sandbox import TRIAL

possible = os.geteuid() == 0 and subprocess.run(TRIAL, check=False).returncode == 0
pytestmark = pytest.mark.skipif(not possible, reason="root may not make mounts here")
STAYS = "trap 'exit 0' TERM; sleep 600 & wait"


def said_by(
    script: str,
    folder: Path,
    story: Callable[[Container], Awaitable[None]] | None = None,
    *,
    shell: str = "/bin/sh",
    read_only: Collection[str] = (),
    **mounts: Path,
) -> tuple[str, int]:
    """What a shell in a sandbox prints, and its exit code; ``a_b`` is mounted at ``/a/b``."""
    spec = ContainerSpec(
        name="c",
        image="pause",
        command=(shell, "-c", script),
        mounts={"/" + name.replace("_", "/"): source for name, source in mounts.items()},
        read_only=read_only,
        sandboxed=True,
        log=folder / "c.log",
    )

    async def run() -> int:
        container = await Container.start(spec)
        try:
            async with asyncio.timeout(20):
                if story is not None:
                    await story(container)
                return await container.wait()
        finally:
            await container.stop(0)

    code = asyncio.run(run())
    return spec.log.read_text(), code


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "first").write_text(". /etc/caddy/second")
    (folder / "second").write_text("echo read by its own path")
    return folder


def test_a_mount_is_at_its_own_path_for_what_stands_in_a_file_too(
    tmp_path: Path, config: Path
) -> None:
    assert said_by(". /etc/caddy/first", tmp_path, etc_caddy=config) == (
        "read by its own path\n",
        0,
    )
    assert not Path("/etc/caddy").exists()


def test_a_mount_that_may_only_be_read_is_not_written_into(tmp_path: Path, config: Path) -> None:
    script = "touch /etc/caddy/new || echo refused; touch /kept/new && echo written"
    kept = tmp_path / "kept"
    kept.mkdir()
    said, _ = said_by(script, tmp_path, read_only=["/etc/caddy"], etc_caddy=config, kept=kept)
    assert "refused\nwritten\n" in said
    assert not (config / "new").exists()
    assert (kept / "new").exists()


def test_the_machines_files_are_not_there_and_its_programs_cannot_be_changed(
    tmp_path: Path,
) -> None:
    script = f"ls {tmp_path}; test -w /usr/bin || echo refused"
    said, _ = said_by(script, tmp_path)
    assert said == f"ls: cannot access '{tmp_path}': No such file or directory\nrefused\n"


def test_two_containers_do_not_see_what_the_other_has_in_tmp(tmp_path: Path) -> None:
    mine = f"/tmp/{tmp_path.name}"
    said, _ = said_by(f"echo 1 > {mine}; cat {mine}", tmp_path)
    assert said == "1\n"
    assert not Path(mine).exists()
    said, _ = said_by(f"cat {mine}", tmp_path)
    assert "No such file" in said


def test_a_program_that_lies_where_something_is_mounted_is_there(tmp_path: Path) -> None:
    """As in a checkout below /tmp, where a container has a /tmp of its own."""
    scratch, programs = tmp_path / "scratch", tmp_path / "programs"
    scratch.mkdir()
    programs.mkdir()
    shutil.copy("/bin/sh", programs / "shell")
    shell = str(programs / "shell")
    said = said_by(f"ls {programs}; touch /tmp/mine", tmp_path, shell=shell, tmp=scratch)
    assert said == ("shell\n", 0)
    assert (scratch / "mine").exists()


def test_its_processes_are_its_own_and_end_with_the_first(tmp_path: Path) -> None:
    found: list[psutil.Process] = []

    async def story(container: Container) -> None:
        first = psutil.Process(container.pid)
        await until_async(lambda: "ready" in container.spec.log.read_text())
        found.extend([first, *first.children()])
        os.kill(container.pid, signal.SIGTERM)

    script = f"setsid sleep 600 & echo pid $$ ready; {STAYS}"
    said, code = said_by(script, tmp_path, story)
    assert (said, code) == ("pid 1 ready\n", 0)
    assert len(found) == 3
    assert not [one for one in found if one.is_running()]


def test_sigterm_is_for_the_program_and_a_first_process_without_a_handler_is_killed(
    tmp_path: Path,
) -> None:
    """As in a real container: the kernel ignores it for a first process that does not take it."""
    codes: list[int] = []

    async def story(container: Container) -> None:
        await until_async(lambda: "ready" in container.spec.log.read_text())
        codes.append(await container.stop(0.3))

    said_by("trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done", tmp_path, story)
    (tmp_path / "c.log").unlink()
    said_by("echo ready; while :; do sleep 0.02; done", tmp_path, story)
    assert codes == [5, 128 + signal.SIGKILL]


def test_a_program_that_is_killed_ended_by_a_signal(tmp_path: Path) -> None:
    async def story(container: Container) -> None:
        os.kill(container.pid, signal.SIGKILL)

    assert said_by(STAYS, tmp_path, story) == ("", 128 + signal.SIGKILL)


def test_a_command_that_probes_runs_inside(tmp_path: Path, config: Path) -> None:
    why: list[str | None] = []

    async def story(container: Container) -> None:
        await until_async(lambda: "ready" in container.spec.log.read_text())
        for path in ("/etc/caddy/first", str(config)):
            probe = Probe(command=("test", "-e", path), timeout_seconds=20)
            why.append(await failure(probe, env=container.environment, enter=container.enter))
        await container.stop(20)

    said_by(f"echo ready; {STAYS}", tmp_path, story, etc_caddy=config)
    assert why == [None, ""]


def test_what_cannot_be_started_is_told_in_the_log(tmp_path: Path) -> None:
    spec = ContainerSpec(
        name="c", image="pause", command=("nowhere",), sandboxed=True, log=tmp_path / "c.log"
    )

    async def run() -> int:
        return await (await Container.start(spec)).wait()

    assert asyncio.run(run()) == 1
    assert spec.log.read_text() == "bwrap: execvp nowhere: No such file or directory\n"
