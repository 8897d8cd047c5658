"""Signals as a terminal's foreground process has them, however the tests were started.

Under `nohup`, and in a shell's background job, a process inherits signals that are ignored.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def ignored(number: signal.Signals) -> Generator[None]:
    """Ignored by this process, and so by the processes that it starts."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def ctrl_c_interrupts() -> Generator[None]:
    """SIGINT raises KeyboardInterrupt, as it does in a program that a person started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
