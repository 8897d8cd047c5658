"""Who is taken for ready: only a server that accepts a connection."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from twin.listening import listens
from twin.network import Network
from twin.parts import control_plane, tailnet
from twin.parts.part import Part
from twin.paths import TwinPaths

NETWORK = Network("namespaces", {"inet": 1, "cloud": 1, "home": 1})


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own folder: a socket's path has room for 107 bytes.
    made = Path(tempfile.mkdtemp(prefix="twin-"))
    yield made
    shutil.rmtree(made)


def test_a_unix_socket_listens_from_listen_to_close_and_not_while_its_file_exists(
    folder: Path,
) -> None:
    file = folder / "s.sock"
    assert not listens(file)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(file))
        assert file.exists()
        assert not listens(file)
        server.listen()
        assert listens(file)
    assert file.exists()
    assert not listens(file)


def test_a_port_listens_from_listen_to_close() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = ("127.0.0.1", int(server.getsockname()[1]))
        assert not listens(address)
        server.listen()
        assert listens(address)
    assert not listens(address)


def kine(paths: TwinPaths) -> Part:
    return named("kine", control_plane.parts(paths, NETWORK, 6443))


def api_inside(paths: TwinPaths) -> Part:
    return named("api-inside", control_plane.parts(paths, NETWORK, 6443))


def home_tailscaled(paths: TwinPaths) -> Part:
    return tailnet.home_tailscaled(paths, NETWORK)


def named(name: str, parts: list[Part]) -> Part:
    [found] = [part for part in parts if part.name == name]
    return found


@pytest.mark.parametrize(
    ("part", "name"),
    [(kine, "kine.sock"), (api_inside, "api.sock"), (home_tailscaled, "home-ts.sock")],
)
def test_a_part_is_ready_when_its_socket_accepts_and_not_when_the_file_is_there(
    folder: Path, part: Callable[[TwinPaths], Part], name: str
) -> None:
    paths = TwinPaths(folder)
    paths.sockets.mkdir()
    started = part(paths)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(paths.sockets / name))
        assert not started.is_ready()
        server.listen()
        assert started.is_ready()
