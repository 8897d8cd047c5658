"""What a command says when it cannot go on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console

from app.client.errors import ClientError
from hub.home.machine import HomeError
from twin.errors import TwinError

errors = Console(stderr=True, highlight=False)


@contextmanager
def told_in_words() -> Generator[None]:
    """Errors meant for a reader are printed; the command ends with 1, or 130 after Ctrl-C."""
    try:
        yield
    except (TwinError, ClientError, HomeError) as error:
        errors.print("[bold red]error:[/bold red]", end=" ")
        errors.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        errors.print("\nInterrupted. The same command takes up where this one stopped.")
        raise typer.Exit(130) from None
