"""What is told of parts, of the network and of who serves the engine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.support.ports import free_ports_in_a_row
from tests.support.waiting import until
from tests.twin.status.conftest import Parts, of
from twin.engine import Engine
from twin.parts.part import Record
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.status.parts import network, part, providers
from twin.toolchain.program import Program

HOLDERS = ("net-inet", "net-cloud", "net-home", "net-cloud-next")


@pytest.mark.parametrize(
    ("state", "row", "told"),
    [
        ("running", "ok", "pid "),
        ("stopped", "down", "kine is stopped: it exists and does nothing; `hub up` starts it aga"),
        ("ended", "down", "kine has ended; see `hub logs kine`, `hub up` starts it again"),
    ],
)
def test_a_part_that_somebody_has_stopped_is_down_as_one_that_ended(
    parts: Parts, state: str, row: str, told: str
) -> None:
    [record] = parts(kine=state).values()
    seen = part(record)
    assert (seen.what, seen.state) == ("kine", row)
    assert seen.detail.startswith(told)
    assert (seen.uptime_seconds is None) == (state == "ended")


def test_a_part_has_the_versions_that_its_programs_said_and_no_other(parts: Parts) -> None:
    kine, home, node, cloud = parts("kine", "home-tailscaled", "node", "cloud-run").values()
    rows = [
        part(of(kine, kine=Program("/usr/bin/kine", "0.18.0"))),
        part(of(home, tailscaled=Program("/opt/tailscaled", "1.102.3"))),
        part(node),
        part(
            of(
                cloud,
                caddy=Program("/venv/bin/caddy", "2.11.7"),
                tailscaled=Program("/opt/tailscaled", "1.102.3"),
                mute=Program("/opt/mute", ""),
            )
        ),
    ]
    assert [(row.version, row.source) for row in rows] == [
        ("0.18.0", "/usr/bin"),
        ("1.102.3", "/opt"),
        ("", ""),
        ("caddy 2.11.7, tailscaled 1.102.3", "/venv/bin, /opt"),
    ]


def test_a_network_whose_holder_ended_is_down(parts: Parts) -> None:
    seen = network(parts(*HOLDERS[:3], **{HOLDERS[3]: "ended"}))
    assert (seen.state, seen.detail) == ("down", "net-cloud-next ended; `hub up` makes it")


def test_before_anything_was_started_there_is_no_network() -> None:
    assert (network({}).state, network({}).detail) == ("down", "there is none; `hub up` makes it")


def test_parts_without_holders_run_on_a_flat_network(parts: Parts) -> None:
    seen = network(parts("cloud-run"))
    assert (seen.state, seen.detail[:6]) == ("ok", "flat, ")


@pytest.mark.skipif(shutil.which("unshare") is None, reason="namespaces are Linux'")
def test_the_namespaces_of_the_holders_are_counted_and_not_their_processes(parts: Parts) -> None:
    # As root or as a user: `--user` tells which of the two the twin's network is.
    entered = ["unshare", "--user", "--map-root-user", "--net", "sleep", "60"]
    with subprocess.Popen(entered) as first:
        try:
            until(lambda: psutil.Process(first.pid).name() == "sleep")
        except psutil.NoSuchProcess:
            pytest.skip("user namespaces are forbidden here")
        created = psutil.Process(first.pid).create_time()
        others = parts(*HOLDERS[1:])
        seen = network({HOLDERS[0]: Record(HOLDERS[0], first.pid, created, ""), **others})
        first.kill()
    assert seen.state == "ok"
    assert seen.detail == "1 network namespaces inside an unprivileged user namespace"


def engine(folder: Path, port: int = 7731) -> Engine:
    settings = replace(TwinSettings.from_environment(), providers_port=port)
    one = Engine(TwinPaths(folder), settings, os.environ["PATH"])
    one.__dict__["released_plugins"] = {"random": "PATH"}
    return one


@pytest.mark.parametrize("state", ["stopped", "ended"])
def test_emulators_that_are_stopped_serve_nobody_though_their_port_takes_connections(
    parts: Parts, tmp_path: Path, state: str
) -> None:
    port = free_ports_in_a_row(4)
    with socket.create_server(("127.0.0.1", port)):
        seen = providers(engine(tmp_path, port), parts(providers=state))
    assert [row.state for row in seen] == ["down", "down", "down", "ok"]
    assert seen[0].detail.startswith(f"providers {'is' if state == 'stopped' else 'has'} {state}")
    assert seen[3].detail == "released plugin from PATH"


def test_an_emulator_serves_where_it_listens(parts: Parts, tmp_path: Path) -> None:
    port = free_ports_in_a_row(4)
    with socket.create_server(("127.0.0.1", port)):
        seen = providers(engine(tmp_path, port), parts("providers"))
    assert [row.state for row in seen] == ["ok", "down", "down", "ok"]
    assert f"does not listen at port {port + 1}" in seen[1].detail
