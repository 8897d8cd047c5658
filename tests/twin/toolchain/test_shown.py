"""Long commands: what they say is shown, and they end with the command that started them."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.signals import ctrl_c_interrupts
from tests.support.waiting import until
from twin.errors import TwinError
from twin.toolchain.shown import run_shown

PARENT = """
import asyncio, sys
from twin.toolchain.shown import run_shown
script = f"echo $$ > {sys.argv[1]}; exec sleep 60"
asyncio.run(run_shown(["sh", "-c", script], print, failed="it failed"))
"""


def test_standard_error_is_shown_and_standard_output_returned() -> None:
    shown: list[str] = []
    command = ["sh", "-c", "echo one >&2; echo two"]
    assert asyncio.run(run_shown(command, shown.append, failed="it failed")) == "two\n"
    assert shown == ["one"]


def test_a_full_disk_is_told_in_words() -> None:
    command = ["sh", "-c", "echo 'No space left on device (os error 28)' >&2; exit 1"]
    with pytest.raises(TwinError, match="The disk is full"):
        asyncio.run(run_shown(command, print, failed="vLLM could not be installed"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_or_killed_command_leaves_nothing_running(
    tmp_path: Path, how: signal.Signals
) -> None:
    pid_file = tmp_path / "pid"
    command = [sys.executable, "-c", PARENT, pid_file]
    with (
        ctrl_c_interrupts(),
        subprocess.Popen(command, stderr=subprocess.DEVNULL) as parent,
    ):
        until(lambda: pid_file.exists() and pid_file.read_text().strip())
        child = psutil.Process(int(pid_file.read_text()))
        parent.send_signal(how)
        parent.wait(20)
    child.wait(20)
