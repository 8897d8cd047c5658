"""What a person sees while several things are prepared at once: done, running, time left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from twin.toolchain.forecast import Share, duration, seconds_left

SECONDS_BETWEEN_LINES = 20
DETAIL_WIDTH = 50


class Work:
    """One row: a title, how much of it is done, what happens just now."""

    def __init__(self, title: str, expected_seconds: float) -> None:
        self.title = title
        self.share = Share(expected_seconds)
        self.detail = ""
        self.counts = False
        """Whether ``share.done`` is counted; else time is taken for progress."""
        self.started: float | None = None
        self.took: float | None = None

    @property
    def runs(self) -> bool:
        return self.started is not None and self.took is None


class Overview:
    """All rows, on one console: a live table on a terminal, a line now and then in a log."""

    def __init__(self, console: Console, later_seconds: float) -> None:
        self.console = console
        self._works: list[Work] = []
        self._later = Share(later_seconds)
        self._started = time.monotonic()

    def plan(self, title: str, expected_seconds: float) -> Work:
        """Announce a piece of work, so that it counts before it begins."""
        work = Work(title, expected_seconds)
        self._works.append(work)
        return work

    @contextmanager
    def running(self, work: Work) -> Generator[Work]:
        """While it runs; afterwards a line says how long it took."""
        work.started = time.monotonic()
        yield work
        work.took = time.monotonic() - work.started
        work.share.done = work.share.expected
        self.console.print(
            f"  [green]✓[/green] {work.title}: {duration(work.took)}", soft_wrap=True
        )

    @asynccontextmanager
    async def shown(self) -> AsyncGenerator[None]:
        """Show the rows until the block ends."""
        if self.console.is_terminal:
            with Live(
                get_renderable=self.table,
                console=self.console,
                transient=True,
                refresh_per_second=4,
            ):
                yield
            return
        lines = asyncio.create_task(
            _repeat(lambda: self.console.print(self.line(), soft_wrap=True))
        )
        try:
            yield
        finally:
            lines.cancel()

    def table(self) -> Table:
        """For a terminal."""
        table = Table.grid(padding=(0, 2))
        for work in self._works:
            if work.took is None:
                mark = "…" if work.runs else " "
                detail = Text(work.detail, "dim")
                detail.truncate(DETAIL_WIDTH, overflow="ellipsis")
                table.add_row(f"  {mark}", work.title, detail)
        table.add_row("", f"[bold]{self._time()}[/bold]", "")
        return table

    def line(self) -> str:
        """For a log."""
        running = [f"{w.title}: {w.detail}" for w in self._works if w.runs and w.detail]
        return " · ".join([f"  {self._time()}", *running])

    def _time(self) -> str:
        now = time.monotonic()
        spent = now - self._started
        for work in self._works:
            if work.started is not None and work.runs and not work.counts:
                work.share.done = min(now - work.started, work.share.expected)
        left = seconds_left([*(work.share for work in self._works), self._later], spent)
        return f"{duration(spent)} spent, about {_rounded(left)} left"


def _rounded(seconds: float) -> str:
    """No more exact than it is.

    >>> _rounded(437), _rounded(44)
    ('7 min', '50 s')
    """
    return f"{round(seconds / 60)} min" if seconds >= 90 else f"{-(-seconds // 10) * 10:.0f} s"


async def _repeat(print_line: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_LINES)
        print_line()
