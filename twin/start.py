"""The order in which the twin starts: networks, tailnet and home, cloud, program, page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from twin.engine import STACK, Engine
from twin.lifecycle import Twin
from twin.parts import system
from twin.toolchain.toolchain import Toolchain


def start(twin: Twin, tools: Toolchain, *, is_new: bool) -> tuple[dict[str, Any], str]:
    """Start what does not run, deploy the program, and wait until the whole path answers.

    Returns the stack's outputs, and home's address in the tailnet.

    Raises:
        TwinError: a part does not start, or the deployment fails.
    """
    paths, settings, say = twin.paths, twin.settings, twin.progress.say
    settings.keep(paths)
    tools.keep(paths)
    twin.clean_up_after_a_killed_command()
    say("[bold]Starting the twin[/bold]")
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
        say("  took away the lock of an interrupted `pulumi` run")
    say(f"[bold]pulumi up --stack {STACK}[/bold]")
    engine.up()
    outputs = engine.outputs()
    twin.start_client(next(iter(outputs["apiKeys"].values())), tools.path)
    system.await_the_whole_path(settings, paths.kubeconfig)
    return outputs, address
