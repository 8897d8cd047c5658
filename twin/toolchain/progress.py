"""What a person sees while something takes minutes."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Self

from rich.console import Console

from twin.toolchain.forecast import duration

SECONDS_BETWEEN_LINES = 20


class Step:
    """One long step: a live line on a terminal, a line now and then in a log."""

    def __init__(self, console: Console, title: str, estimate_seconds: int) -> None:
        self._console = console
        self._title = title
        self._estimate = estimate_seconds
        self._started = time.monotonic()
        self._last_line = self._started
        self._status = console.status(title) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        elif self._estimate >= SECONDS_BETWEEN_LINES:
            self._print(f"  {self._title} (about {duration(self._estimate)})")
        return self

    def __exit__(self, *error: object) -> None:
        if self._status:
            self._status.stop()
        if error == (None, None, None):
            took = duration(time.monotonic() - self._started)
            self._print(f"  [green]✓[/green] {self._title}: {took}")

    def detail(self, text: str) -> None:
        """Say what is happening just now."""
        now = time.monotonic()
        spent = f"{duration(now - self._started)} of about {duration(self._estimate)}"
        if self._status:
            self._status.update(f"{self._title}: {spent} [dim]{text[-60:]}[/dim]")
        elif now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            self._print(f"    {spent} · {text}")

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)


class Progress:
    """Steps, one after another, on one console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, title: str, estimate_seconds: int) -> Generator[Step]:
        with Step(self.console, title, estimate_seconds) as step:
            yield step

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)
