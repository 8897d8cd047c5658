"""`hub`: stand the twin up, look at it, ask it, take it down."""

from __future__ import annotations

import json
import os
import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from typer.core import TyperGroup

from hub import keys
from hub.words import told_in_words
from infra.tailnet.policy import Form
from infra.tailnet.policy import policy as rules
from twin import lifecycle
from twin import status as status_view
from twin.engine import Engine
from twin.errors import TwinError
from twin.network import choose_mode
from twin.parts import system, tailnet
from twin.paths import TwinPaths, state_dir
from twin.settings import TwinSettings
from twin.toolchain.ensure import ensure
from twin.toolchain.progress import Progress

WATCH_SECONDS = 2
RUN, LOOK, ACCESS = "Run the twin", "Look", "Give access"
LATE = {
    **dict.fromkeys(("ask", "detect", "eval"), "hub.asking"),
    "plan": "hub.plan",
    "doctor": "hub.doctor",
    "usage": "hub.usage",
    "home": "hub.home.app",
}
"""Imported when one is called or all are listed: the SDKs of OpenAI and Pulumi take a second."""
ORDER = (
    *("up", "down", "clean"),
    *("ask", "detect", "eval"),
    *("plan", "status", "doctor", "logs", "usage", "policy", "env"),
    "keys",
    "home",
)


class Commands(TyperGroup):
    """All commands, in the order of the help."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in LATE and cmd_name not in self.commands:
            late = import_module(LATE[cmd_name])
            self.commands.update(typer.main.get_group(late.app).commands)
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(ORDER)


app = typer.Typer(
    cls=Commands,
    help="Your GPU at home as a private, OpenAI-compatible service.\n\n"
    "The twin is the same deployment on this one machine, without any account. `ask`, `detect` "
    "and `eval` work with the twin and with the real service.",
    epilog="[bold]The first three commands[/bold]\n\n"
    "hub up                                                     start the twin\n\n"
    "hub detect docs/pictures/shapes.png 'red square'           ask for boxes\n\n"
    "hub status                                                 look at every part",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
console = Console(highlight=False)


def _paths() -> TwinPaths:
    return TwinPaths(state_dir())


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # what Typer hands to a callback
    if wanted:
        print(f"hub {installed_version('personal-cloud-hub')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[  # its callback has answered already
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Only options; `app` has the help."""


@app.command(rich_help_panel=RUN)
def up() -> None:
    """Start the twin and deploy the program to it with `pulumi up`.

    The first time builds the tools (6 to 13 minutes on 2 cores). Running it again changes nothing,
    or resumes an interrupted start.

    [bold]Examples[/bold]

    hub up

    HUB_GATEWAY_PORT=8090 hub up                              if port 8080 is taken

    [bold]Environment variables[/bold]

    HUB_GATEWAY_PORT (8080), HUB_CLIENT_PORT (8501), HUB_KUBERNETES_PORT (6443),
    HUB_PROVIDERS_PORT (7731): ports on 127.0.0.1.

    HUB_IDLE_SECONDS: without a request for so long, the gateway scales to zero (900).

    HUB_CLIENT_PASSWORD: a password for the web page.

    HUB_NETWORK: namespaces, user-namespaces or flat; the most faithful one otherwise.

    HUB_CACHE, HUB_STATE: folders of the built tools and of the running twin.
    """
    with told_in_words():
        begun = time.monotonic()
        progress = Progress(console)
        paths = _paths()
        is_new = not (paths.root / "twin.json").exists()
        if is_new:
            settings = TwinSettings.from_environment()
            settings.refuse_taken_ports()
        else:
            settings = TwinSettings.of_running_twin(paths)
        tools = ensure(console)
        with lifecycle.held(paths, settings, progress) as twin:
            settings.keep(paths)
            tools.keep(paths)
            twin.clean_up_after_a_killed_command()
            console.print("[bold]Starting the twin[/bold]")
            network = twin.start_network(tools.path)
            engine = Engine(paths, settings, tools.path)
            with ThreadPoolExecutor(1) as beside:
                # One after another, and beside the parts' start: downloads may take their time.
                if is_new:
                    beside.submit(engine.install_released_plugins)
                configured = beside.submit(engine.configure, network.mode)
                address = twin.start_tailnet_and_home(network, tools)
                twin.start_cloud(network, tools.path)
                configured.result()
            twin.start_providers(engine.emulated, tools.path)
            if engine.unlock():
                console.print("  took away the lock of an interrupted `pulumi` run")
            console.print("[bold]pulumi up --stack twin[/bold]")
            engine.up()
            outputs = engine.outputs()
            key = next(iter(outputs["apiKeys"].values()))
            twin.start_client(key, tools.path)
            system.await_the_whole_path(settings, paths.kubeconfig)
        _welcome(settings, outputs, address, time.monotonic() - begun)


def _welcome(settings: TwinSettings, outputs: dict[str, Any], address: str, seconds: float) -> None:
    console.print(
        f"\n[bold green]The twin is up[/bold green] ({seconds:.0f} s)\n"
        f"  gateway   {settings.gateway_url}/v1\n"
        f"  client    {settings.client_url}\n"
        f"  home      {address}, reachable from the gateway only\n"
        f"  API keys  " + ", ".join(f"{name}: {key}" for name, key in outputs["apiKeys"].items()),
        soft_wrap=True,
    )
    console.print(f"\nTry:\n  {outputs['curl']}", soft_wrap=True, markup=False)
    sample = "docs/pictures/shapes.png"
    console.print(f"  hub ask 'What is in this picture?' --image {sample}", markup=False)
    console.print(f"  hub detect {sample} 'red square' --draw found.png", markup=False)
    console.print("  hub status", markup=False)
    console.print(
        "\nThe twin's small model knows coloured shapes and nothing else: squares, circles,\n"
        "triangles, stars and crosses in red, orange, yellow, green, blue, purple and pink."
    )


@app.command(rich_help_panel=RUN)
def down() -> None:
    """Remove the cloud side with `pulumi destroy`; the home server keeps running.

    [bold]Example[/bold]

    hub down && hub up                                        the model server is not restarted

    Works on the twin in HUB_STATE.
    """
    with told_in_words():
        progress = Progress(console)
        engine = Engine.of_running_twin(_paths())
        with lifecycle.held(engine.paths, engine.settings, progress) as twin:
            if engine.has_resources():
                if engine.unlock():
                    console.print("  took away the lock of an interrupted `pulumi` run")
                twin.start_providers(engine.emulated, engine.path)
                engine.destroy()
            left = system.services(engine.paths)
            nodes = [n["given_name"] for n in tailnet.nodes(engine.paths, engine.path)]
            twin.stop_cloud()
        leftovers = [str(name) for name in nodes if name != "home"]
        if left or leftovers:
            raise TwinError(f"Left behind: services {left}, tailnet nodes {leftovers}")
        console.print(
            "[bold green]The cloud side is removed[/bold green]: no service, no auth key, "
            "no gateway node. Home still runs; `hub up` adopts it, `hub clean` removes it."
        )


@app.command(rich_help_panel=RUN)
def clean() -> None:
    """Remove the twin: all its processes, network namespaces and files. Built tools stay cached.

    [bold]Example[/bold]

    hub clean && hub up                                       start from nothing

    Removes the folder HUB_STATE (without it ~/.local/state/personal-cloud-hub/twin), and leaves
    HUB_CACHE (without it ~/.cache/personal-cloud-hub).
    """
    with told_in_words():
        paths = _paths()
        if not paths.root.exists():
            console.print("There is no twin to remove.")
            return
        with Progress(console).step("removing the twin", 15):
            ended = lifecycle.remove(paths)
        console.print(f"Removed {paths.root} and {len(ended)} remaining processes.")


@app.command(rich_help_panel=LOOK)
def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    watch: Annotated[
        bool, typer.Option(help="Look again every two seconds, until Ctrl-C.")
    ] = False,
) -> None:
    """Show each part of the twin: state, version, uptime. Exits with 1 when one is down.

    It never wakes a gateway that has scaled to zero: its state is then "idle".

    [bold]Examples[/bold]

    hub status

    hub status --watch

    hub status --json | jq '.[] | select(.state == "down")'

    Looks at the twin in HUB_STATE.
    """
    with told_in_words():
        engine = Engine.of_running_twin(_paths())
        mode = choose_mode(engine.settings)
        rows = status_view.look(engine, mode)
        if watch:
            with Live(status_view.table(rows), console=console, screen=True) as live:
                while True:
                    time.sleep(WATCH_SECONDS)
                    live.update(status_view.table(status_view.look(engine, mode)))
        if as_json:
            print(json.dumps(status_view.as_json(rows), indent=2))  # noqa: T201
        else:
            console.print(status_view.table(rows))
        if any(row.state == "down" for row in rows):
            raise typer.Exit(1)


@app.command(rich_help_panel=LOOK)
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
        paths = _paths()
        known = sorted(str(f.relative_to(paths.logs))[:-4] for f in paths.logs.rglob("*.log"))
        if part is None or part not in known:
            names = ", ".join(known) or "none yet"
            if part is None:
                console.print(f"Logs of: {names}")
                return
            raise TwinError(f"No log is named {part!r}; there are: {names}")
        text = (paths.logs / f"{part}.log").read_text(errors="replace")
        print("\n".join(text.splitlines()[-lines:]))  # noqa: T201


@app.command(rich_help_panel=LOOK)
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


@app.command(rich_help_panel=LOOK)
def env() -> None:
    """Print the environment in which `pulumi` and `kubectl` work on the twin.

    [bold]Example[/bold]

    eval "$(hub env)"

    kubectl get pods -A

    pulumi preview --stack twin

    Describes the twin in HUB_STATE.
    """
    with told_in_words():
        engine = Engine.of_running_twin(_paths())
        for name, value in engine.twin_environment.items():
            print(f"export {name}={shlex.quote(value)}")  # noqa: T201


app.add_typer(keys.app, name="keys", rich_help_panel=ACCESS)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    app()
