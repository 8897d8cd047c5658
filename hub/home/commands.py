"""`hub home …`, as a person types it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from hub.home import carry_out, result
from hub.home.facts import look
from hub.home.machine import machine
from hub.home.steps import Step, steps
from hub.home.undo import undoing
from hub.words import told_in_words

Host = Annotated[
    str | None,
    typer.Option("--host", metavar="USER@HOST", help="The server, over SSH; else this machine."),
]
ControlUrl = Annotated[
    str | None, typer.Option(help="A control server other than Tailscale's, such as headscale.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and stop.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]

app = typer.Typer(
    help="Set up, check, stop and wake the server with the GPU.",
    no_args_is_help=True,
)
console = Console(stderr=True, highlight=False)
"""What is read by a person. The result of a command is on stdout."""


@app.command()
def install(
    host: Host = None,
    control_url: ControlUrl = None,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Make a server the home server: Tailscale, NVIDIA's container toolkit, K3s, in this order.

    It checks the server first, shows what it will do with the diff of each file, and asks. A server
    that is set up is left as it is, and an interrupted installation goes on where it stopped.
    What was there before is kept in /var/lib/personal-cloud-hub/before, for `hub home uninstall`.

    It needs sudo on the server, and there NVIDIA's driver. At the end it prints the kubeconfig and
    the lines for `Pulumi.dev.yaml`, as comments.

    [bold]Examples[/bold]

    hub home install --host me@192.168.0.7 --dry-run

    (umask 077; hub home install --host me@192.168.0.7 > ~/.kube/home.yaml)

    export KUBECONFIG=~/.kube/home.yaml                       for `pulumi` and `kubectl`
    """
    with told_in_words():
        server = machine(host)
        facts = look(server)
        carry_out.refuse(facts)
        if left := steps(facts, control_url):
            _show("To do", left)
        else:
            console.print("Nothing is left to do: the server is set up.")
        if dry_run:
            return
        if left:
            _confirm(yes=yes)
            facts = carry_out.install(server, control_url, _tell)
            console.print("[bold green]The home server is set up[/bold green]\n")
        k3s = server.read("cat /etc/rancher/k3s/k3s.yaml")
        print(result.kubeconfig(k3s, facts.tailscale.address))  # noqa: T201
        print("# In Pulumi.dev.yaml, below personal-cloud-hub:settings:")  # noqa: T201
        for line in result.stack_lines(facts, control_url).splitlines():
            print(f"#     {line}")  # noqa: T201


@app.command()
def uninstall(host: Host = None, *, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Restore what was on the server before `hub home install`.

    K3s goes, with all that runs in it. The model's weights stay in
    /var/lib/personal-cloud-hub/model-cache; delete that folder if you do not want them.

    [bold]Example[/bold]

    hub home uninstall --host me@192.168.0.7 --dry-run
    """
    with told_in_words():
        server = machine(host)
        left = undoing(look(server))
        if not left:
            console.print("`hub home install` has changed nothing here.")
            return
        _show("To restore", left)
        if dry_run:
            return
        _confirm(yes=yes)
        carry_out.uninstall(server, _tell)
        console.print("[bold green]The server is as it was[/bold green]")


def _show(title: str, left: list[Step]) -> None:
    console.print(f"[bold]{title}[/bold]")
    for number, step in enumerate(left, 1):
        console.print(f"{number:3}. {step.does}", markup=False)
        for line in step.change.splitlines():
            colour = {"+": "green", "-": "red"}.get(line[0], "dim")
            console.print(f"       {line}", style=colour, markup=False, soft_wrap=True)
    console.print()


def _tell(step: Step) -> None:
    console.print(f"[bold]{step.does}[/bold]")


def _confirm(*, yes: bool) -> None:
    if not yes:
        typer.confirm("Go on?", abort=True, err=True)
