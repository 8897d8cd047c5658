"""One long-running program of the twin: started, watched, stopped, never restarted silently.

A part outlives the command that started it. Its record names the process by pid *and* start
time, because pids are used again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Self

import psutil

from twin.errors import TwinError
from twin.paths import TwinPaths
from twin.toolchain.program import Program, asked
from twin.whole_file import write_whole

MARK = "HUB_TWIN"
"""Environment variable that every process of a twin carries: its state folder."""
DEFAULT_SIGNALS = frozenset(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}
"""All that a process can inherit as ignored."""
SWEEP_SECONDS = 2
"""What is swept keeps nothing: its state is deleted next."""


State = Literal["running", "stopped", "ended"]
"""Stopped, by a signal: it exists, and even takes connections, and does nothing."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """How to run one program and how to tell that it is ready."""

    name: str
    argv: tuple[str, ...]
    is_ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    seconds_to_ready: int = 60
    seconds_to_recover: float = 0
    """How long it may be unready while it runs as wanted, until it is started anew."""
    stop_seconds: float = 10
    source: Path | None = None
    """The folder of the project's own Python that it runs: after a change there it is started anew.
    """
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """What it runs, by name: the command that makes each program say its version."""

    @property
    def fingerprint(self) -> str:
        """Changes when the part would be started otherwise; tells no secret of its environment."""
        recipe = hashlib.sha256(json.dumps([self.argv, sorted(self.env.items())]).encode())
        for file in sorted(self.source.rglob("*.py")) if self.source else ():
            recipe.update(file.read_bytes())
        return recipe.hexdigest()


@dataclass(frozen=True)
class Record:
    """What is known of a part that was started."""

    name: str
    pid: int
    created: float
    fingerprint: str
    programs: Mapping[str, Program] = field(default_factory=dict[str, Program])
    """As they were found and asked when it was started."""

    @classmethod
    def read(cls, file: Path) -> Self:
        kept = json.loads(file.read_text())
        programs = {name: Program(**one) for name, one in kept.pop("programs", {}).items()}
        return cls(**kept, programs=programs)

    @property
    def process(self) -> psutil.Process | None:
        """The process, if it still runs."""
        try:
            process = psutil.Process(self.pid)
            if process.create_time() == self.created and process.status() != "zombie":
                return process
        except psutil.NoSuchProcess:
            pass
        return None

    @property
    def state(self) -> State:
        process = self.process
        if process is None:
            return "ended"
        return "stopped" if process.status() == psutil.STATUS_STOPPED else "running"


def records(paths: TwinPaths) -> list[Record]:
    """Every part that was started and not stopped, oldest first."""
    found = (Record.read(file) for file in paths.parts.glob("*.json"))
    return sorted(found, key=lambda record: record.created)


def start(part: Part, paths: TwinPaths, path: str) -> Record:
    """Start a part and wait until it is ready.

    Raises:
        TwinError: it ended or was not ready in time; carries its last log lines.
    """
    log = paths.logs / f"{part.name}.log"
    programs = asked(part.programs, path)
    # Not subprocess.Popen: its object owns the child, and a part outlives this process.
    pid = os.posix_spawn(
        shutil.which(part.argv[0], path=path) or part.argv[0],
        part.argv,
        {**os.environ, "PATH": path, MARK: str(paths.root), **part.env},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,  # Ctrl-C in `make up` is not for the parts
        # A part reacts to signals in the same way whatever its starter ignores, as under `nohup`.
        setsigdef=DEFAULT_SIGNALS,
        setsigmask=(),
    )
    created = psutil.Process(pid).create_time()
    record = Record(part.name, pid, created, part.fingerprint, programs)
    write_whole(paths.parts / f"{part.name}.json", json.dumps(asdict(record)))
    deadline = time.monotonic() + part.seconds_to_ready
    while not part.is_ready():
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            raise TwinError(f"{part.name} ended at once ({code}):\n{last_lines(log)}")
        if time.monotonic() > deadline:
            raise TwinError(
                f"{part.name} was not ready after {part.seconds_to_ready} s:\n{last_lines(log)}"
            )
        time.sleep(0.1)
    return record


def recovers(part: Part) -> bool:
    """Whether a part that runs is ready, or becomes it by itself."""
    deadline = time.monotonic() + part.seconds_to_recover
    while not part.is_ready():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True


def stop(record: Record, paths: TwinPaths, seconds: float = 10) -> None:
    """SIGTERM, wait, SIGKILL; the record goes."""
    if (process := record.process) is not None:
        _end([process], seconds)
    (paths.parts / f"{record.name}.json").unlink(missing_ok=True)


def end_strays(paths: TwinPaths) -> list[str]:
    """End processes that carry this twin's mark and belong to no part, a killed command's children;
    the names of what was found.
    """
    parts = {record.pid for record in records(paths)}
    found = {p: name for p, name in _marked(paths).items() if not parts & _with_parents(p)}
    _end(list(found), SWEEP_SECONDS)
    return list(found.values())


def sweep(paths: TwinPaths) -> list[str]:
    """End every process that carries this twin's mark; the names of what was found."""
    found = _marked(paths)
    _end(list(found), SWEEP_SECONDS)
    return list(found.values())


def _marked(paths: TwinPaths) -> dict[psutil.Process, str]:
    """Other processes than this one and its parents, with their names, as any may end."""
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found: dict[psutil.Process, str] = {}
    for process in psutil.process_iter():
        try:
            marked, name = _is_marked(process, paths), process.name()
        except (psutil.Error, OSError):  # it is another user's, or has ended
            continue
        if marked and process.pid not in mine:
            found[process] = name
    return found


def _is_marked(process: psutil.Process, paths: TwinPaths) -> bool:
    """Whether it has this twin's mark, or prints into the twin's folder: a program that changes its
    title, as vLLM's engine does, writes over its environment.
    """
    if process.environ().get(MARK) == str(paths.root):
        return True
    return Path(f"/proc/{process.pid}/fd/1").readlink().is_relative_to(paths.root)


def _with_parents(process: psutil.Process) -> set[int]:
    try:
        return {process.pid, *(parent.pid for parent in process.parents())}
    except psutil.NoSuchProcess:
        return {process.pid}


def _end(processes: list[psutil.Process], seconds: float) -> None:
    """SIGTERM, wait, SIGKILL: the end of one may be the end of another."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def last_lines(log: os.PathLike[str], count: int = 12) -> str:
    with open(log, errors="replace") as file:  # noqa: PTH123  # PathLike
        lines = file.readlines()[-count:]
    return "".join(f"  {line}" for line in lines) + f"  (whole log: {log})"
