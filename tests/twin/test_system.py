"""When the parts of the twin count as ready."""

from __future__ import annotations

from pathlib import Path

from tests.support.ports import free_port
from twin.network import Network
from twin.parts import control_plane, system
from twin.paths import TwinPaths
from twin.toolchain.toolchain import Toolchain


def test_a_node_is_not_ready_while_the_api_server_does_not_answer(tmp_path: Path) -> None:
    paths, network = TwinPaths(tmp_path), Network("flat", {})
    control_plane.write_credentials(paths, network, free_port())
    node, _traefik = system.home_parts(paths, network, Toolchain("/bin", Path("py")), "192.0.2.1")
    assert node.name == "node"
    assert not node.is_ready()
