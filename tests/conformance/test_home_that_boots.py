"""`hub home` on a Debian that runs: systemd starts what was installed, and a tailnet lets it in.

One server, from its installation to its removal, with two power cuts and a night between.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from hub.home.facts import Facts, look
from hub.home.machine import script
from hub.home.steps import Step, steps
from tests.conformance.test_home_on_debian import Whole, differences, whole
from tests.support.booted_server import SECONDS, BootedServer, booted_server, who_opens_links
from tests.support.home_server import install, uninstall
from tests.support.own_tailnet import Tailnet, own_tailnet
from tests.support.waiting import until
from twin.toolchain.ensure import ensure

pytestmark = pytest.mark.conformance

UNITS = ("tailscaled", "k3s", "home-wake-on-lan")
STARTED = dict.fromkeys(UNITS, "active, 0 restarts")
SECONDS_OFF = 45
"""Half of what systemd waits for a container that K3s has left behind (DefaultTimeoutStopSec)."""
STOP = "\n".join(map(script, ("without_tailscale.sh", "stop.sh")))


@dataclass(frozen=True, kw_only=True)
class Course:
    """What was seen of the server, in this order."""

    before: Whole
    links: list[str]
    facts: Facts
    left: list[Step]
    units: Mapping[str, str]
    nodes: list[dict[str, Any]]
    sleeps: list[str]
    after_a_power_cut: Mapping[str, str]
    without_the_tailnet: Mapping[str, str]
    with_it_again: Mapping[str, str]
    seconds_to_switch_off: float
    after_a_night: Mapping[str, str]
    after: Whole
    running: Mapping[str, str]
    nodes_after: list[dict[str, Any]]


def units(server: BootedServer) -> dict[str, str]:
    return {
        name: f"{server.unit(name)}, {server.unit(name, 'NRestarts') or 0} restarts"
        for name in UNITS
    }


def boot(server: BootedServer) -> dict[str, str]:
    """The units once everything has started that can."""
    server.switch_on()
    until(lambda: server.unit("multi-user.target") == "active", seconds=SECONDS)
    return units(server)


@pytest.fixture(scope="module")
def tailnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tailnet]:
    with own_tailnet(tmp_path_factory.mktemp("net"), ensure(Console()).path) as tailnet:
        yield tailnet


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, tailnet: Tailnet) -> Course:
    with booted_server(tmp_path_factory.mktemp("home") / "server", tailnet) as server:
        before = whole(server)
        with who_opens_links(server, tailnet) as links:
            install(server, tailnet.url)
        facts = look(server.machine())
        installed = units(server)
        nodes = tailnet.nodes()
        sleeps = server.asked("systemctl start suspend.target 2>&1 || true")

        server.cut_the_power()
        after_a_power_cut = boot(server)

        server.cut_the_power()
        tailnet.switch_off()
        server.switch_on()
        until(lambda: server.unit("tailscaled") == "active", seconds=SECONDS)
        until(lambda: server.unit("k3s") != "inactive", seconds=SECONDS)
        without_the_tailnet = units(server)
        tailnet.switch_on()
        until(lambda: server.unit("k3s") == "active", seconds=SECONDS)
        with_it_again = units(server)

        begun = time.monotonic()
        assert server.machine().show(f"NODE=home POWER_OFF=yes\n{STOP}")
        server.goes_off(seconds=2 * SECONDS)
        seconds_to_switch_off = time.monotonic() - begun
        after_a_night = boot(server)

        uninstall(server)
        return Course(
            before=before,
            links=links,
            facts=facts,
            left=steps(facts, tailnet.url),
            units=installed,
            nodes=nodes,
            sleeps=sleeps,
            after_a_power_cut=after_a_power_cut,
            without_the_tailnet=without_the_tailnet,
            with_it_again=with_it_again,
            seconds_to_switch_off=seconds_to_switch_off,
            after_a_night=after_a_night,
            after=whole(server),
            running=units(server),
            nodes_after=tailnet.nodes(),
        )


def test_one_command_sets_it_up_and_a_person_opens_one_link(course: Course) -> None:
    assert len(course.links) == 1
    assert course.left == []


def test_systemd_has_started_what_was_installed(course: Course) -> None:
    assert course.units == STARTED


def test_it_is_in_the_tailnet_with_homes_tag(course: Course) -> None:
    [node] = course.nodes
    assert (node["given_name"], node["tags"], node["online"]) == ("home", ["tag:llm-home"], True)
    assert course.facts.tailscale.address == node["ip_addresses"][0]


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
    assert course.seconds_to_switch_off < SECONDS_OFF
    assert course.after_a_night == STARTED


def test_an_uninstallation_leaves_nothing_of_it_on_the_disk_or_running(course: Course) -> None:
    assert differences(course.before, course.after) == {}
    assert course.running == dict.fromkeys(UNITS, "inactive, 0 restarts")
    assert [node["online"] for node in course.nodes_after if "online" in node] in ([], [False])
