"""What a person at the terminal is told and asked while a server is set up or restored."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from rich.console import Console

from hub.home.steps import Step

console = Console(stderr=True, highlight=False)
"""What is read by a person. The result of a command is on stdout."""


def show(title: str, left: Sequence[Step]) -> None:
    """What would be done, with the change of each file."""
    console.print(f"[bold]{title}[/bold]")
    for number, step in enumerate(left, 1):
        console.print(f"{number:3}. {step.does}", markup=False)
        for line in step.change.splitlines():
            colour = {"+": "green", "-": "red"}.get(line[0], "dim")
            console.print(f"       {line}", style=colour, markup=False, soft_wrap=True)
    console.print()


def tell(step: Step) -> None:
    console.print(step.does, style="bold", markup=False)


def confirm(*, yes: bool) -> None:
    """Ask, unless it was answered with ``--yes``.

    Raises:
        typer.Abort: the answer is no.
    """
    if not yes:
        typer.confirm("Go on?", abort=True, err=True)
