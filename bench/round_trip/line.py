"""A slow line: every frame between two network devices arrives some milliseconds later.

`python -m bench.round_trip.line ONE OTHER MILLISECONDS [LOST]` makes both devices in the network
namespace that it runs in, and copies frames from each to the other until it is ended; of a share
LOST nothing arrives. The kernel of many machines has no netem, which would do this otherwise.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import select
import struct
import sys
import time
from collections import deque

# <linux/if_tun.h>
_SET = 0x400454CA
_TAP, _NO_HEADER = 0x0002, 0x1000
_LONGEST_FRAME = 1 << 16

Waiting = deque[tuple[float, bytes]]
"""Frames with the moment at which each is due."""


def tap(name: str) -> int:
    """Make a device of Ethernet frames; what is written to the descriptor, the kernel receives."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _SET, struct.pack("16sH14x", name.encode(), _TAP | _NO_HEADER))
    return descriptor


def take_in(source: int, waiting: Waiting, due: float, lost: float = 0.0) -> None:
    """Read all frames that have come, and forget this share of them."""
    while True:
        try:
            frame = os.read(source, _LONGEST_FRAME)
        except BlockingIOError:
            return
        if random.random() >= lost:  # noqa: S311  # chance, not a secret
            waiting.append((due, frame))


def let_out(waiting: Waiting, target: int, now: float) -> None:
    """Write those that are due, in their order."""
    while waiting and waiting[0][0] <= now:
        try:
            os.write(target, waiting.popleft()[1])
        except OSError as error:
            # The device is not up yet: while both are set up, the first one's frames come already.
            if error.errno != errno.EIO:
                raise


def seconds_to_next(queues: tuple[Waiting, Waiting], now: float) -> float | None:
    """Until a frame is due; nothing where none waits."""
    due = [waiting[0][0] for waiting in queues if waiting]
    return max(0.0, min(due) - now) if due else None


def run(one: int, other: int, seconds: float, lost: float) -> None:
    """Copy for ever; ``seconds`` is the delay of each direction, ``lost`` what neither carries."""
    to_other, to_one = Waiting(), Waiting()
    while True:
        wait = seconds_to_next((to_other, to_one), time.monotonic())
        select.select([one, other], [], [], wait)
        now = time.monotonic()
        take_in(one, to_other, now + seconds, lost)
        take_in(other, to_one, now + seconds, lost)
        let_out(to_other, other, now)
        let_out(to_one, one, now)


if __name__ == "__main__":
    _, first, second, milliseconds, *share = sys.argv
    run(tap(first), tap(second), float(milliseconds) / 1000, float(*share))
