"""`hub status`: each part of the twin, or each side of a stack of your own, as it is now."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from doctor.patient import of_stack
from hub import stack_status
from hub.stack import Stack
from hub.words import told_in_words
from twin.engine import STACK, Engine
from twin.paths import TwinPaths, state_dir
from twin.status.look import look
from twin.status.rows import Row, table
from twin.status.rows import as_json as as_objects

WATCH_SECONDS = 2
app = typer.Typer()
console = Console(highlight=False)


@app.command(rich_help_panel="Look")
def status(
    stack: Annotated[
        str, typer.Option("--stack", help="The twin's, or a Pulumi stack of your own, such as dev.")
    ] = STACK,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    watch: Annotated[
        bool, typer.Option(help="Look again every two seconds, until Ctrl-C.")
    ] = False,
) -> None:
    """Show each part of the twin: state, version, uptime. Exits with 1 when one is down.

    It never wakes a gateway that has scaled to zero: its state is then "idle". On your own stack
    it looks with the gcloud, tailscale, kubeconfig and pulumi of this computer, as far as they are
    there, and sends the gateway no request; `hub doctor` does.

    [bold]Examples[/bold]

    hub status

    hub status --stack dev

    hub status --watch

    hub status --json | jq '.[] | select(.state == "down")'

    Looks at the twin in HUB_STATE.
    """
    with told_in_words():
        look_again = _looker(stack)
        rows = look_again()
        if watch:
            # Ctrl-C is the way out of it, and no failure.
            with (
                suppress(KeyboardInterrupt),
                Live(table(rows), console=console, screen=True) as live,
            ):
                while True:
                    time.sleep(WATCH_SECONDS)
                    live.update(table(look_again()))
            return
        if as_json:
            print(json.dumps(as_objects(rows), indent=2))  # noqa: T201
        else:
            console.print(table(rows))
        if any(row.state == "down" for row in rows):
            raise typer.Exit(1)


def _looker(stack: str) -> Callable[[], list[Row]]:
    if stack == STACK:
        return partial(look, Engine.of_running_twin(TwinPaths(state_dir())))
    at = Stack.named(stack)
    # No request is sent, so neither an address nor a key is needed.
    return partial(stack_status.look, of_stack(stack, "", "", at.settings(), at.auth_key()))
