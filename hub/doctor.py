"""`hub doctor`: which hop of the path is broken, why, and the command that mends it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from doctor.diagnosis import Finding, State, diagnose, first_broken
from doctor.examination import Patient, examine, of_stack, of_twin
from doctor.observations import NotSeen
from hub.stack import Stack
from hub.words import told_in_words
from infra.config import KEY, Settings
from twin.engine import STACK, Engine
from twin.errors import TwinError
from twin.paths import TwinPaths, state_dir

app = typer.Typer()
console = Console(highlight=False)
_MARKS: dict[State, str] = {
    "ok": "[green]✓[/green]",
    "warning": "[yellow]![/yellow]",
    "broken": "[red]✗[/red]",
    "not seen": "[dim]?[/dim]",
}


@app.command("doctor", rich_help_panel="Look")
def doctor(
    stack: Annotated[
        str, typer.Option("--stack", help="The twin's, or a Pulumi stack of your own, such as dev.")
    ] = STACK,
    *,
    drift: Annotated[
        bool,
        typer.Option(
            "--drift", help="Also compare what is there with what is declared; up to 2 min."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Walk the path of a request, and name the first hop that is broken.

    It asks what a client asks, from a health check to the largest body, and looks at every side
    with your own access: on the twin all of it, on your own stack with the gcloud, tailscale and
    kubeconfig of this computer, as far as they are there. Half a minute at most. It wakes a gateway
    that was scaled to zero, with home.wake also home, and has the model write one token twice.

    The exit code is 0 only if nothing is broken.

    [bold]Examples[/bold]

    hub doctor

    hub doctor --stack dev --json

    hub doctor --drift
    """
    with told_in_words():
        patient = _patient(stack)
        if as_json:
            findings = diagnose(examine(patient, with_drift=drift))
            print(json.dumps(answer(findings), indent=2))  # noqa: T201
        else:
            most = "2 minutes" if drift else "half a minute"
            with console.status(f"Asking each hop, {most} at most"):
                findings = diagnose(examine(patient, with_drift=drift))
            console.print(table(findings))
            console.print(verdict(findings))
        if first_broken(findings) is not None:
            raise typer.Exit(1)


def answer(findings: list[Finding]) -> dict[str, Any]:
    """For programs."""
    broken = first_broken(findings)
    return {
        "healthy": broken is None,
        "broken": asdict(broken) if broken else None,
        "hops": [asdict(one) for one in findings],
    }


def table(findings: list[Finding]) -> Table:
    """A line for each hop, in the order of a request."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for one in findings:
        told = one.evidence
        if one.state == "warning":
            told = "\n".join(filter(None, (told, one.cause, f"→ {one.remedy}")))
        shown.add_row(
            _MARKS[one.state],
            one.hop,
            told or ("[dim]not reached[/dim]" if one.state == "not seen" else ""),
        )
    return shown


def verdict(findings: list[Finding]) -> str:
    """The answer in a few lines."""
    broken = first_broken(findings)
    if broken is None:
        return "\n[green]Nothing is broken.[/green]"
    return f"\n[red bold]{broken.hop}[/red bold]: {broken.cause}\n[bold]→[/bold] {broken.remedy}"


def _patient(name: str) -> Patient:
    stack = Stack.named(name)
    settings = Settings.model_validate(_settings(stack))
    service = stack.service()
    if name != STACK:
        auth_key = service.auth_key_expires or NotSeen(why="no auth key is stored")
        return of_stack(name, service.url, service.key, settings, auth_key)
    return of_twin(Engine.of_running_twin(TwinPaths(state_dir())), service.key, settings)


def _settings(stack: Stack) -> Any:
    """As they stand in the file, which the program reads, too."""
    try:
        return yaml.safe_load(stack.file.read_text())["config"][f"personal-cloud-hub:{KEY}"]
    except (KeyError, TypeError) as error:
        raise TwinError(f"{stack.file} has no personal-cloud-hub:{KEY}") from error
