"""`hub logs`, `policy` and `env`: print something as it is."""

from __future__ import annotations

import json
import shlex
from typing import Annotated

import typer
from rich.console import Console

from hub.words import told_in_words
from infra.tailnet.policy import Form
from infra.tailnet.policy import policy as rules
from twin.engine import Engine
from twin.errors import TwinError
from twin.paths import TwinPaths, state_dir

app = typer.Typer()
console = Console(highlight=False)


@app.command(rich_help_panel="Look")
def logs(
    part: Annotated[
        str | None, typer.Argument(help="A part's name, as `hub status` has it.")
    ] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 50,
) -> None:
    """Print the log of one part of the twin. Without a name, list the parts.

    [bold]Examples[/bold]

    hub logs                                                  which logs there are

    hub logs traefik -n 200

    Reads the logs of the twin in HUB_STATE.
    """
    with told_in_words():
        paths = TwinPaths(state_dir())
        known = sorted(str(f.relative_to(paths.logs))[:-4] for f in paths.logs.rglob("*.log"))
        if part is None or part not in known:
            names = ", ".join(known) or "none yet"
            if part is None:
                console.print(f"Logs of: {names}")
                return
            raise TwinError(f"No log is named {part!r}; there are: {names}")
        text = (paths.logs / f"{part}.log").read_text(errors="replace")
        print("\n".join(text.splitlines()[-lines:]))  # noqa: T201


@app.command(rich_help_panel="Look")
def policy(
    form: Annotated[
        Form, typer.Option(help="Tailscale's present form, or the older one.")
    ] = "grants",
    waker: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Of a device that wakes home for the gateway."),
    ] = None,
) -> None:
    """Print the rules that your tailnet needs. Asks nobody: no stack and no account is needed.

    Put them into the policy file (Tailscale's admin console, "Access controls") in place of the
    rule that allows everything to everyone: rules only add, so with that one left Tailscale
    refuses to save these, whose tests say what the gateway must not reach.

    [bold]Examples[/bold]

    hub policy

    hub policy --form acls                                    for a policy file with "acls"

    hub policy --waker 100.101.102.103                        for home.wake in the stack's file
    """
    print(json.dumps(rules(form, waker), indent=2))  # noqa: T201


@app.command(rich_help_panel="Look")
def env() -> None:
    """Print the environment in which `pulumi` and `kubectl` work on the twin.

    [bold]Example[/bold]

    eval "$(hub env)"

    kubectl get pods -A

    pulumi preview --stack twin

    Describes the twin in HUB_STATE.
    """
    with told_in_words():
        engine = Engine.of_running_twin(TwinPaths(state_dir()))
        for name, value in engine.twin_environment.items():
            print(f"export {name}={shlex.quote(value)}")  # noqa: T201
