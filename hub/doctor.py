"""`hub doctor`: which hop of the path is broken, why, and what mends it or where to look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

from doctor.diagnosis import Finding, State, diagnose, first_broken
from doctor.examination import examine
from doctor.hops import HOPS, Hop
from doctor.patient import Patient, of_stack, of_twin
from hub.stack import Stack
from hub.words import told_in_words
from twin.engine import STACK, Engine
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
            "--drift", help="Also compare what is there with what is declared; up to 2 min more."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Walk the path of a request, and name the first hop that is broken.

    It asks what a client asks, from a health check to the largest body, and looks at every side
    with your own access: on the twin all of it, on your own stack with the gcloud, tailscale and
    kubeconfig of this computer, as far as they are there. Once Pulumi has told the stack's outputs,
    it takes half a minute at most. It wakes a gateway that was scaled to zero, and has the model
    write one token twice.

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
            findings = _drawn(patient, drift=drift)
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
    shown = _lines()
    for one in findings:
        told = escape(one.evidence)
        if one.state == "warning":
            told = "\n".join(filter(None, (told, escape(one.cause), f"→ {escape(one.remedy)}")))
        unknown = "[dim]not reached[/dim]" if one.state == "not seen" else ""
        took = "" if one.seconds is None else f"{one.seconds:.1f} s"
        shown.add_row(_MARKS[one.state], one.hop, took, told or unknown)
    return shown


def verdict(findings: list[Finding]) -> str:
    """The answer in a few lines."""
    broken = first_broken(findings)
    if broken is None:
        return "\n[green]Nothing is broken.[/green]"
    cause, remedy = escape(broken.cause), escape(broken.remedy)
    return f"\n[red bold]{broken.hop}[/red bold]: {cause}\n[bold]→[/bold] {remedy}"


def _drawn(patient: Patient, *, drift: bool) -> list[Finding]:
    """Each hop's line is drawn as something is seen there."""
    most = "2½ minutes" if drift else "half a minute"
    asking = Spinner("dots", f"Asking each hop, {most} at most")
    texts: dict[Hop, str] = {}

    def told(more: Mapping[Hop, str]) -> None:
        texts.update(more)
        shown = _lines()
        for hop in HOPS:
            shown.add_row("", hop, "", escape(texts.get(hop, "…")))
        live.update(Group(shown, asking))

    with Live(asking, console=console, transient=True) as live:
        told({})
        return diagnose(examine(patient, with_drift=drift, told=told))


def _lines() -> Table:
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(no_wrap=True, width=1)
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True, justify="right")
    shown.add_column(overflow="fold")
    return shown


def _patient(name: str) -> Patient:
    stack = Stack.named(name)
    settings = stack.settings()
    service = stack.service()
    if name != STACK:
        return of_stack(name, service.url, service.key, settings, service.auth_key)
    return of_twin(Engine.of_running_twin(TwinPaths(state_dir())), service.key, settings)
