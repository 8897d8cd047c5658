"""`hub up`, `down` and `clean`: start the twin, remove its cloud side, remove it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console

from hub.words import told_in_words
from twin import lifecycle
from twin.engine import Engine
from twin.errors import TwinError
from twin.parts import system, tailnet
from twin.paths import TwinPaths, state_dir
from twin.settings import TwinSettings
from twin.start import start
from twin.toolchain.ensure import ensure
from twin.toolchain.progress import Progress

app = typer.Typer()
console = Console(highlight=False)


@app.command(rich_help_panel="Run the twin")
def up() -> None:
    """Start the twin and deploy the program to it with `pulumi up`.

    The first time builds the tools (5 to 13 minutes on 2 cores). Running it again changes nothing,
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
    with told_in_words(resumes=True):
        begun = time.monotonic()
        paths = TwinPaths(state_dir())
        # First of all: whoever comes second would find the ports of the first one taken.
        with lifecycle.locked(paths):
            is_new = not (paths.root / "twin.json").exists()
            if is_new:
                settings = TwinSettings.from_environment()
                settings.refuse_taken_ports()
            else:
                settings = TwinSettings.of_running_twin(paths)
            tools = ensure(console)
            twin = lifecycle.Twin(paths, settings, Progress(console))
            outputs, address = start(twin, tools, is_new=is_new)
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
    console.print("\nTry:", markup=False)
    first = next(iter(outputs["apiKeys"]))
    console.print(f'  export OPENAI_API_KEY="$(hub keys show {first})"', markup=False)
    console.print(f"  {outputs['curl']}", soft_wrap=True, markup=False)
    sample = "docs/pictures/shapes.png"
    console.print(f"  hub ask 'What is in this picture?' --image {sample}", markup=False)
    console.print(f"  hub detect {sample} 'red square' --draw found.png", markup=False)
    console.print("  hub status", markup=False)
    console.print(
        "\nThe twin's small model knows coloured shapes and nothing else: squares, circles,\n"
        "triangles, stars and crosses in red, orange, yellow, green, blue, purple and pink."
    )


@app.command(rich_help_panel="Run the twin")
def down() -> None:
    """Remove the cloud side with `pulumi destroy`; the home server keeps running.

    [bold]Example[/bold]

    hub down && hub up                                        the model server is not restarted

    Works on the twin in HUB_STATE.
    """
    with told_in_words(resumes=True):
        engine = Engine.of_running_twin(TwinPaths(state_dir()))
        twin = lifecycle.Twin(engine.paths, engine.settings, Progress(console))
        with lifecycle.locked(engine.paths):
            if engine.has_resources():
                if engine.unlock():
                    console.print("  took away the lock of an interrupted `pulumi` run")
                twin.start_providers(engine.emulated, engine.path)
                engine.destroy()
            services = system.services(engine.paths)
            nodes = tailnet.nodes(engine.paths, engine.path)
            twin.stop_cloud()
        if services:
            raise TwinError(f"Left behind: services {services}")
        console.print(
            "[bold green]The cloud side is removed[/bold green]: no service, no auth key, "
            f"{_gateway_nodes(nodes)}. Home still runs; `hub up` adopts it, "
            "`hub clean` removes it.",
            soft_wrap=True,
        )


def _gateway_nodes(nodes: Sequence[Mapping[str, Any]] | None) -> str:
    """What is left of them in the tailnet.

    Raises:
        TwinError: one that stays there.
    """
    if nodes is None:
        return "and the tailnet's nodes were not seen, because headscale does not answer"
    others = [node for node in nodes if node["given_name"] != "home"]
    staying = [str(node["given_name"]) for node in others if not tailnet.is_ephemeral(node)]
    if staying:
        raise TwinError(f"Left behind: tailnet nodes {staying}")
    if not others:
        return "no gateway node"
    names = ", ".join(str(node["given_name"]) for node in others)
    return (
        f"and of a killed instance still the node {names}, which headscale removes "
        f"{tailnet.INACTIVE_MINUTES} minutes after it was last there"
    )


@app.command(rich_help_panel="Run the twin")
def clean() -> None:
    """Remove the twin: all its processes, network namespaces and files. Built tools stay cached.

    [bold]Example[/bold]

    hub clean && hub up                                       start from nothing

    Removes the folder HUB_STATE (without it ~/.local/state/personal-cloud-hub/twin), if it is a
    twin's, and leaves HUB_CACHE (without it ~/.cache/personal-cloud-hub).
    """
    with told_in_words(resumes=True):
        paths = TwinPaths(state_dir())
        if not paths.root.exists():
            console.print("There is no twin to remove.")
            return
        with lifecycle.locked(paths), Progress(console).step("removing the twin", 15):
            ended = lifecycle.remove(paths)
        console.print(f"Removed {paths.root} and {len(ended)} remaining processes.")
