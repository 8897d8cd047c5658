"""What a command says when it cannot go on."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console

from app.client.errors import ClientError, NotConnectedError
from hub.home.machine import HomeError
from twin.errors import TwinError
from twin.paths import cache_dir, state_dir

errors = Console(stderr=True, highlight=False)


@contextmanager
def told_in_words(*, resumes: bool = False) -> Generator[None]:
    """Errors meant for a reader are printed; the command ends with 1, or 130 after Ctrl-C.

    ``resumes``: started again, the command goes on with what Ctrl-C has left undone.
    """
    try:
        yield
    except (TwinError, ClientError, HomeError) as error:
        errors.print("[bold red]error:[/bold red]", end=" ")
        errors.print(str(error), markup=False, soft_wrap=True)
        if isinstance(error, NotConnectedError):
            errors.print(
                "`hub doctor` names the hop that is broken; for your own stack it takes --stack.",
                soft_wrap=True,
            )
        raise typer.Exit(1) from None
    except (OSError, ExceptionGroup) as error:
        full = _full_disk(error)
        if full is None:
            raise
        errors.print("[bold red]error:[/bold red]", end=" ")
        goes_on = "; what is done is kept" if resumes else ""
        errors.print(
            f"A disk is full: {full}. Free some space, then run the same command again{goes_on}.\n"
            f"The local system's state is in {state_dir()} (HUB_STATE), its tools are in "
            f"{cache_dir()} (HUB_CACHE).",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        hint = " The same command takes up where this one stopped." if resumes else ""
        errors.print(f"\nInterrupted.{hint}")
        raise typer.Exit(130) from None


def _full_disk(error: BaseException) -> OSError | None:
    """The error of a full disk or a used-up quota; also one of several that came together."""
    match error:
        case BaseExceptionGroup(exceptions=several):
            return next(filter(None, map(_full_disk, several)), None)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return error
        case _:
            return None
