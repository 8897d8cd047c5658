"""`hub home` over SSH, on a Debian that runs: its systemd starts what was installed.

One server, from its installation to its removal, with two power cuts and a night between.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from rich.console import Console

from infra.tailnet.policy import WAKER
from tests.conformance.test_home_on_debian import Whole, differences, whole
from tests.support.booted_server import SECONDS, BootedServer, booted_server, who_opens_links
from tests.support.own_tailnet import Tailnet, own_tailnet
from tests.support.owner import Owner
from tests.support.waiting import until
from twin.toolchain.ensure import ensure

pytestmark = pytest.mark.conformance

UNITS = ("tailscaled", "k3s", "home-wake-on-lan")
STARTED = dict.fromkeys(UNITS, "active, 0 restarts")
MAC = "04:42:1a:00:00:01"
WAKE = f"""\
url=http://$(tailscale ip -4):{WAKER}/wake
for _ in $(seq {SECONDS}); do
    python3 -c 'import urllib.request, sys
print(urllib.request.urlopen(sys.argv[1], b"").read().decode())' "$url" && break
    sleep 1
done
"""
"""It listens a moment after systemd has started it."""
SECONDS_OFF = 45
"""Half of what systemd waits for a container that K3s has left behind (DefaultTimeoutStopSec)."""
Told = tuple[int, str]
"""An exit code, and what the terminal showed."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """What was seen of the server, in this order."""

    before: Whole
    links: list[str]
    interrupted: Told
    installing: Told
    again: Told
    units: Mapping[str, str]
    nodes: list[dict[str, Any]]
    sleeps: list[str]
    after_a_power_cut: Mapping[str, str]
    without_the_tailnet: Mapping[str, str]
    with_it_again: Mapping[str, str]
    switching_off: Told
    seconds_to_switch_off: float
    after_a_night: Mapping[str, str]
    becoming_a_waker: Told
    woken: list[str]
    no_waker: Told
    uninstalling: Told
    after: Whole
    running: Mapping[str, str]
    nodes_after: list[dict[str, Any]]


def units(server: BootedServer) -> dict[str, str]:
    return {
        name: f"{server.unit(name)}, {server.unit(name, 'NRestarts') or 0} restarts"
        for name in UNITS
    }


def await_unit(server: BootedServer, name: str, state: str) -> None:
    def shown() -> str:
        return "\n".join(server.asked(f"systemctl list-jobs; journalctl -b -n 40 -u {name}"))

    until(lambda: server.unit(name) == state, seconds=SECONDS, shown=shown)


def boot(server: BootedServer) -> dict[str, str]:
    """The units once everything has started that can."""
    server.switch_on()
    await_unit(server, "multi-user.target", "active")
    return units(server)


@pytest.fixture(scope="module")
def tailnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tailnet]:
    with own_tailnet(tmp_path_factory.mktemp("net"), ensure(Console()).path) as tailnet:
        yield tailnet


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, tailnet: Tailnet) -> Course:
    folder = tmp_path_factory.mktemp("home")
    with booted_server(folder / "server", tailnet) as server:
        owner = Owner(server, tailnet, folder / "owner")
        owner.hub_home("check")  # sudo notes who has used it once
        before = whole(server)
        with who_opens_links(server, tailnet) as links:
            interrupted = owner.hub_home("install", "--control-url", tailnet.url, until="Unpacking")
            installing = owner.hub_home("install", "--control-url", tailnet.url)
        assert installing[0] == 0, installing[1]
        again = owner.hub_home("install", "--control-url", tailnet.url)
        installed = units(server)
        becoming_a_waker = owner.hub_home("waker", "--mac", MAC)
        nodes = tailnet.nodes()
        sleeps = server.asked("systemctl start suspend.target 2>&1 || true")

        server.cut_the_power()
        after_a_power_cut = boot(server)

        server.cut_the_power()
        tailnet.switch_off()
        server.switch_on()
        await_unit(server, "tailscaled", "active")
        await_unit(server, "k3s", "activating")
        without_the_tailnet = units(server)
        tailnet.switch_on()
        await_unit(server, "k3s", "active")
        with_it_again = units(server)

        switching_off = owner.hub_home("stop", "--power-off")
        begun = time.monotonic()
        server.goes_off(seconds=2 * SECONDS)
        seconds_to_switch_off = time.monotonic() - begun
        after_a_night = boot(server)

        await_unit(server, "home-waker", "active")
        woken = server.asked(WAKE)
        no_waker = owner.hub_home("waker", "--remove")
        uninstalling = owner.hub_home("uninstall")
        return Course(
            before=before,
            links=links,
            interrupted=interrupted,
            installing=installing,
            again=again,
            units=installed,
            nodes=nodes,
            sleeps=sleeps,
            after_a_power_cut=after_a_power_cut,
            without_the_tailnet=without_the_tailnet,
            with_it_again=with_it_again,
            switching_off=switching_off,
            seconds_to_switch_off=seconds_to_switch_off,
            after_a_night=after_a_night,
            becoming_a_waker=becoming_a_waker,
            woken=woken,
            no_waker=no_waker,
            uninstalling=uninstalling,
            after=whole(server),
            running=units(server),
            nodes_after=tailnet.nodes(),
        )


def test_one_command_sets_it_up_and_a_person_opens_one_link(course: Course) -> None:
    code, shown = course.installing
    assert code == 0, shown
    assert "The home server is set up" in shown
    assert len(course.links) == 1


def test_ctrl_c_in_the_middle_of_dpkgs_work_is_said_and_the_same_command_goes_on(
    course: Course,
) -> None:
    code, shown = course.interrupted
    assert code == 130, shown
    assert "Unpacking" in shown
    assert "The same command takes up where this one stopped." in shown


def test_it_ends_with_a_kubeconfig_of_the_tailnet_and_the_stacks_lines(course: Course) -> None:
    _, shown = course.installing
    config, lines = shown[shown.index("apiVersion: v1") :].split("# In Pulumi.dev.yaml")
    [cluster] = yaml.safe_load(config)["clusters"]
    [address] = [ip for ip in course.nodes[0]["ip_addresses"] if ":" not in ip]
    assert cluster["cluster"]["server"] == f"https://{address}:6443"
    assert "controlUrl: http://10.99.0.2:8090" in lines


def test_the_same_command_again_has_nothing_to_do(course: Course) -> None:
    code, shown = course.again
    assert code == 0, shown
    assert "Nothing is left to do" in shown


def test_systemd_has_started_what_was_installed(course: Course) -> None:
    assert course.units == STARTED


def test_it_is_in_the_tailnet_with_homes_tag(course: Course) -> None:
    [node] = course.nodes
    assert (node["given_name"], node["tags"], node["online"]) == ("home", ["tag:llm-home"], True)


def test_it_does_not_go_to_sleep(course: Course) -> None:
    assert course.sleeps == [
        "Failed to start suspend.target: Unit suspend.target is masked.",
    ]


def test_after_a_power_cut_everything_starts_and_k3s_finds_its_address_at_once(
    course: Course,
) -> None:
    assert course.after_a_power_cut == STARTED


def test_while_the_tailnet_is_away_k3s_waits_and_then_starts_by_itself(course: Course) -> None:
    assert course.without_the_tailnet == {**STARTED, "k3s": "activating, 0 restarts"}
    assert course.with_it_again == STARTED


def test_it_switches_off_at_once_and_everything_starts_the_next_day(course: Course) -> None:
    code, shown = course.switching_off
    assert (code, "Switching off." in shown) == (0, True), shown
    assert course.seconds_to_switch_off < SECONDS_OFF
    assert course.after_a_night == STARTED


def test_a_waker_answers_after_a_boot_without_any_right_of_roots(course: Course) -> None:
    """Here on the server itself; its service does not care."""
    assert course.becoming_a_waker[0] == 0, course.becoming_a_waker[1]
    assert [json.loads(line) for line in course.woken] == [{"sentOn": ["enp5s0"]}]
    assert course.no_waker[0] == 0, course.no_waker[1]


def test_an_uninstallation_leaves_nothing_of_it_on_the_disk_or_running(course: Course) -> None:
    code, shown = course.uninstalling
    assert (code, "The server is as it was" in shown) == (0, True), shown
    assert differences(course.before, course.after) == {}
    assert course.running == dict.fromkeys(UNITS, "inactive, 0 restarts")
    assert [node["online"] for node in course.nodes_after if "online" in node] in ([], [False])
