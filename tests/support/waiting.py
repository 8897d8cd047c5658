"""Wait for a condition, never for a length of time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable

SECONDS = 20
"""Enough for one small step of another process or thread on a machine that is busy."""
SECONDS_BETWEEN_LOOKS = 0.02


def until(
    condition: Callable[[], object],
    *,
    seconds: float = SECONDS,
    shown: Callable[[], object] = lambda: "",
) -> None:
    """Return once the condition holds.

    Raises:
        AssertionError: it does not hold in time; the message is what ``shown`` returns.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds:g} s: {shown()}"
        time.sleep(SECONDS_BETWEEN_LOOKS)


async def until_async(condition: Callable[[], object], *, seconds: float = SECONDS) -> None:
    """The same on an event loop; the condition may be a coroutine function.

    Raises:
        TimeoutError: it does not hold in time.
    """
    async with asyncio.timeout(seconds):
        while not await _holds(condition):
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


async def _holds(condition: Callable[[], object]) -> object:
    result = condition()
    return await result if inspect.isawaitable(result) else result
