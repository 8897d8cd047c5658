"""Records of parts, with processes that exist."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import psutil
import pytest

from tests.support.waiting import until
from twin.parts.part import Record, State
from twin.toolchain.program import Program

Parts = Callable[..., dict[str, Record]]


@pytest.fixture
def parts() -> Iterator[Parts]:
    """Makes records by name; each has a process of its own in the state that is named."""
    with ExitStack() as processes:

        def make(*names: str, **states: State) -> dict[str, Record]:
            wanted = {**dict.fromkeys(names, "running"), **states}
            return {
                name.replace("_", "-"): _record(name.replace("_", "-"), state, processes)
                for name, state in wanted.items()
            }

        yield make


def _record(name: str, state: str, processes: ExitStack) -> Record:
    process = processes.enter_context(subprocess.Popen(["sleep", "60"]))
    processes.callback(process.kill)
    record = Record(name, process.pid, psutil.Process(process.pid).create_time(), "")
    if state == "stopped":
        os.kill(process.pid, signal.SIGSTOP)
    elif state == "ended":
        process.kill()
    until(lambda: record.state == state)
    return record


def of(record: Record, **programs: Program) -> Record:
    """The same with programs that were asked at its start."""
    return replace(record, programs=programs)
