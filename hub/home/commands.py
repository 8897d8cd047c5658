"""`hub home …`, as a person types it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from hub.home import carry_out, result
from hub.home import check as looking
from hub.home import wake as waking
from hub.home import waker as setup
from hub.home.facts import look
from hub.home.machine import HomeError, machine, script
from hub.home.requirements import leaving_problems, problems
from hub.home.rows import table
from hub.home.steps import steps
from hub.home.telling import confirm, console, show, tell
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

START_SECONDS = 1800
"""Without a download a start takes a few minutes; with one, longer than anybody waits."""
MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
WAKE_SECONDS = 180
"""Published: 68 s to SSH (github.com/joryirving/home-ops, pull request 10097)."""

app = typer.Typer(
    help="Set up, check, stop and wake the server with the GPU.",
    no_args_is_help=True,
)


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

    (umask 077; mkdir -p ~/.kube; hub home install --host me@192.168.0.7 > ~/.kube/home.yaml)

    export KUBECONFIG=~/.kube/home.yaml                       for `pulumi` and `kubectl`
    """
    with told_in_words(resumes=True):
        server = machine(host)
        facts = look(server)
        carry_out.refuse(problems(facts))
        if left := steps(facts, control_url):
            show("To do", left)
        else:
            console.print("Nothing is left to do: the server is set up.")
        if dry_run:
            return
        if left:
            confirm(yes=yes)
            facts = carry_out.install(server, control_url, tell)
            console.print("[bold green]The home server is set up[/bold green]")
        if facts.wakes:
            console.print(f"To switch it on: hub home wake --through DEVICE --mac {facts.mac}\n")
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
    with told_in_words(resumes=True):
        server = machine(host)
        facts = look(server)
        left = undoing(facts)
        if not left:
            console.print("`hub home install` has changed nothing here.")
            return
        carry_out.refuse(leaving_problems(facts))
        show("To restore", left)
        if dry_run:
            return
        confirm(yes=yes)
        carry_out.uninstall(server, tell)
        console.print("[bold green]The server is as it was[/bold green]")


@app.command()
def check(
    host: Host = None,
    gateway: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask the gateway, too, which wakes it.")
    ] = None,
) -> None:
    """Look at every hop at home. Exits with 1 when something is down, with the remedy beside it.

    Tailnet, K3s, GPU, pods, the way in, disk, certificates. It changes nothing.

    [bold]Examples[/bold]

    hub home check --host me@home

    hub home check --host me@home --gateway $(pulumi stack output gatewayUrl)
    """
    with told_in_words():
        rows = looking.check(machine(host), datetime.now(UTC))
        if gateway:
            rows.append(looking.ask_gateway(gateway))
        Console(highlight=False).print(table(rows))
        if any(row.state == "down" for row in rows):
            raise typer.Exit(1)


@app.command()
def stop(
    host: Host = None,
    *,
    power_off: Annotated[
        bool, typer.Option("--power-off", help="Then switch the machine off.")
    ] = False,
) -> None:
    """Stop K3s after the answers in flight have ended; those that take over a minute are cut.

    Nothing of it is kept: at the next boot everything starts by itself. Meanwhile the gateway
    answers 503 `home_unavailable` with `Retry-After`.

    [bold]Example[/bold]

    hub home stop --host me@home --power-off
    """
    wanted = f"POWER_OFF={'yes' if power_off else 'no'}\n"
    parts = ("node.sh", "without_tailscale.sh", "stop.sh")
    _run(host, wanted + "".join(map(script, parts)), "stop")


@app.command()
def start(host: Host = None) -> None:
    """Start K3s after `hub home stop`, and wait until the model answers.

    After `hub home free` the model stays off until `hub home take`.

    [bold]Example[/bold]

    hub home start --host me@home
    """
    _run(host, f"WAIT={START_SECONDS}\n{script('node.sh')}{script('start.sh')}", "start")


@app.command()
def free(host: Host = None) -> None:
    """Free the GPU, for example for a game: answers in flight get a minute, then the model ends.

    Until `hub home take` the gateway answers 503 `model_unavailable` with `Retry-After`, and says
    that the GPU may be lent out. A boot and `pulumi up` leave it so.

    [bold]Example[/bold]

    hub home free --host me@home
    """
    _run(host, script("free.sh"), "free")


@app.command()
def take(host: Host = None) -> None:
    """Take the GPU back: start the model, and wait until it answers.

    [bold]Example[/bold]

    hub home take --host me@home
    """
    _run(host, f"WAIT={START_SECONDS}\n{script('take.sh')}", "take")


@app.command()
def wake(
    through: Annotated[
        str, typer.Option(metavar="DEVICE", help="One of the tailnet that is in home's LAN.")
    ],
    mac: Annotated[
        str, typer.Option(metavar="MAC", help="Of home's adapter, as `hub home check` shows it.")
    ],
) -> None:
    """Switch the server on: another device of the tailnet sends it a magic packet.

    Any device with Tailscale that is always on will do, such as a small computer or a NAS; nothing
    is installed on it. The firmware of the server must allow wake-on-LAN.

    [bold]Example[/bold]

    hub home wake --through pi --mac 04:42:1a:00:00:01
    """
    with told_in_words():
        device = waking.waker(waking.status(), through)
        interfaces = waking.send(device, mac)
        console.print(f"{through} has sent the packet on {', '.join(interfaces)}.", markup=False)
        if not waking.await_home(WAKE_SECONDS):
            raise HomeError(
                f"Home did not answer over the tailnet in {WAKE_SECONDS} s. Is {through} in the "
                "same LAN, is wake-on-LAN on in the firmware, is the MAC the cable's adapter's?"
            )
        console.print("Home is awake. The model answers in some minutes: `hub home check`.")
        console.print(
            f"For questions to wake it: hub home waker --host USER@{through} --mac {mac}",
            markup=False,
            soft_wrap=True,
        )


@app.command()
def waker(
    mac: Annotated[
        str, typer.Option(help="Of the server's adapter; `hub home check` shows it.")
    ] = "",
    host: Annotated[
        str | None,
        typer.Option(metavar="USER@HOST", help="The device, over SSH; else this machine."),
    ] = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away again.")] = False,
    yes: Yes = False,
) -> None:
    """Let questions wake the server: set up an always-on device that sends it the packet.

    The device is in the server's LAN and in the tailnet, and has systemd and Python. It gets a
    service that answers the gateway and wakes this one machine. The stack's lines are printed.

    [bold]Examples[/bold]

    hub home waker --host me@pi --mac 04:42:1a:00:00:01

    hub home waker --host me@pi --remove
    """
    with told_in_words():
        if not remove and not MAC.fullmatch(mac.lower()):
            raise HomeError(
                f"--mac wants an address like 04:42:1a:00:00:01, not {mac or 'nothing'}."
            )
        device = machine(host)
        address = "" if remove else setup.tailnet_address(device)
        left = setup.removing() if remove else setup.placing(address, mac.lower())
        show("To do", left)
        confirm(yes=yes)
        if not device.show("".join(step.script for step in left)):
            raise HomeError(f"It stopped there. On the device: journalctl -u {setup.SERVICE}")
        if not remove:
            console.print("In the stack's file, below personal-cloud-hub:settings:")
            console.print(f"\n    home:\n      wake: {{through: {address}}}\n", markup=False)
            console.print(f"In the tailnet, the policy of: hub policy --waker {address}")


def _run(host: str | None, commands: str, name: str) -> None:
    with told_in_words():
        server = machine(host)
        if not look(server).k3s:
            raise HomeError("K3s is not on this server: `hub home install`.")
        if not server.show(commands):
            raise HomeError(
                f"`hub home {name}` stopped there. `hub home check` shows what is the matter."
            )
