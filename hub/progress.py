"""How far a batch is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Tell = Callable[[str], None]
"""What goes on just now, in a few words."""
Done = Callable[[bool], None]
"""One more; whether it failed."""


@contextmanager
def progress(console: Console, total: int, done: int) -> Generator[tuple[Tell, Done]]:
    """A bar of ``total``, of which ``done`` are there from an earlier run."""
    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=console,
    )
    failures = 0
    with bar:
        task = bar.add_task("", total=total, completed=done, failed=0)

        def tell(what: str) -> None:
            bar.update(task, description=what)

        def one_more(failed: bool) -> None:  # noqa: FBT001
            nonlocal failures
            failures += failed
            bar.update(task, advance=1, failed=failures)

        yield tell, one_more
