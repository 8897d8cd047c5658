"""Many questions in one run: some at once, each result kept as it comes, resumable.

What a run has found is a journal: a file of JSON lines that only grows. A line that a stop cut off
is asked for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeVar

from app.client.errors import ServiceError
from app.client.request import Timeouts

Task = TypeVar("Task")
Result = TypeVar("Result")

UNATTENDED = Timeouts(patience=120)
"""Over a night's run home may restart, and a minute's limit of requests be reached: longer than a
person in front of it would wait."""


async def ask_each(  # noqa: PLR0913
    tasks: Iterable[Task],
    ask: Callable[[Task], Awaitable[Result]],
    keep: Callable[[Result], None],
    *,
    service_failed: Callable[[Result], bool],
    concurrency: int,
    give_up_after: int,
) -> None:
    """Ask, some at once, and hand over each result as soon as it is there.

    What ``ask`` raises ends the run.

    Raises:
        ServiceError: the service has failed ``give_up_after`` times in a row; the rest of the tasks
            was not asked.
    """
    todo = iter(tasks)
    in_a_row = 0

    async def work() -> None:
        nonlocal in_a_row
        for task in todo:
            result = await ask(task)
            keep(result)
            in_a_row = in_a_row + 1 if service_failed(result) else 0
            if in_a_row >= give_up_after:
                return

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    if in_a_row >= give_up_after:
        raise ServiceError(
            f"The service failed {in_a_row} times in a row, so the rest was not asked. The same "
            "command takes up where this one stopped."
        )


def whole_lines(file: Path) -> tuple[list[bytes], bytes]:
    """The lines of a journal, and the one that broke off; none of a file that is not there."""
    data = file.read_bytes() if file.exists() else b""
    end = data.rfind(b"\n") + 1
    return data[:end].splitlines(), data[end:]


def cut_torn_line(file: Path) -> None:
    """Before a journal goes on."""
    if not file.exists():
        return
    data = file.read_bytes()
    with file.open("r+b") as opened:
        opened.truncate(data.rfind(b"\n") + 1)


def append(file: Path, line: bytes) -> None:
    """Keep one result; it is on disk before the next one is asked for."""
    with file.open("ab") as opened:
        opened.write(line + b"\n")
