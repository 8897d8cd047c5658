"""A tailnet for one server: headscale in the twin's network, where the server has home's place."""

from __future__ import annotations

import io
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from twin.lifecycle import Twin, locked, remove
from twin.network import ADDRESSES, Network, choose_mode, run
from twin.parts import tailnet
from twin.parts.part import records, start, stop
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.toolchain.progress import Progress

OWNER = "owner"


@dataclass(frozen=True)
class Tailnet:
    """Its control server can be away."""

    paths: TwinPaths
    network: Network
    path: str

    @property
    def url(self) -> str:
        return f"http://{self.network.address('inet')}:{tailnet.HEADSCALE_PORT}"

    def switch_on(self) -> None:
        start(tailnet.headscale(self.paths, self.network, self.path), self.paths, self.path)

    def switch_off(self) -> None:
        for record in records(self.paths):
            if record.name == "headscale":
                stop(record, self.paths)

    def nodes(self) -> list[dict[str, Any]]:
        return tailnet.nodes(self.paths, self.path) or []

    def ask(self, *words: str) -> str:
        return tailnet.ask_headscale(self.paths, self.path, *words)

    def let_in(self, link: str) -> None:
        """What a person does who opens the link of `tailscale up`."""
        self.ask("auth", "register", "--user", OWNER, "--auth-id", link.rpartition("/")[2])


@contextmanager
def own_tailnet(folder: Path, path: str) -> Generator[Tailnet]:
    """One with no node, whose tag for home its owner may give."""
    settings = TwinSettings.from_environment()
    if choose_mode(settings) != "namespaces":
        pytest.skip("needs root and network namespaces")
    paths = TwinPaths(folder)
    with locked(paths):
        twin = Twin(paths, settings, Progress(Console(file=io.StringIO())))
        try:
            of_it = Tailnet(paths, twin.start_network(path), path)
            tailnet.write_configuration(paths, of_it.network)
            of_it.switch_on()
            of_it.ask("users", "create", OWNER)
            rules: dict[str, Any] = {"tagOwners": {tailnet.HOME_TAG: [f"{OWNER}@"]}, "grants": []}
            (folder / "policy.json").write_text(json.dumps(rules))
            of_it.ask("policy", "set", "--file", str(folder / "policy.json"))
            _name_as_on_a_server(of_it.network)
            yield of_it
        finally:
            remove(paths)


def _name_as_on_a_server(network: Network) -> None:
    """Home's adapter, and its router."""
    line = ["ip link set eth0 down", "ip link set eth0 name enp5s0", "ip link set enp5s0 up"]
    run(network, "home", [*line, f"ip route add default via {ADDRESSES['inet']}"])
