"""What a person has to settle before the server is changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hub.home.facts import look, tailscale_of
from hub.home.requirements import leaving_problems, problems
from hub.home.steps import steps
from tests.support.home_facts import facts, tailscale
from tests.support.home_server import Server, server

__all__ = ["server"]

NO_K3S: dict[str, Any] = {"k3s": "", "k3s_active": False, "k3s_enabled": False, "before": {}}


def told(**changes: Any) -> str:
    """The one problem of such a server, with its remedy."""
    [problem] = problems(facts(**changes))
    return f"{problem.what} {problem.remedy}"


def test_a_server_that_is_set_up_has_no_problems_and_nothing_to_do() -> None:
    assert problems(facts()) == []
    assert steps(facts()) == []


@pytest.mark.parametrize(
    ("distribution", "release"),
    [("ubuntu", "22.04"), ("ubuntu", "24.04"), ("debian", "12"), ("debian", "13")],
)
def test_these_systems_are_taken(distribution: str, release: str) -> None:
    assert problems(facts(distribution=distribution, release=release)) == []


@pytest.mark.parametrize(
    ("distribution", "release"), [("ubuntu", "20.04"), ("debian", "11"), ("fedora", "43"), ("", "")]
)
def test_other_systems_are_refused_by_name(distribution: str, release: str) -> None:
    system = f"{distribution} {release}".strip() or "an unknown system"
    assert told(distribution=distribution, release=release).startswith(
        f"The server runs {system}; this was written for Ubuntu 22.04 and 24.04"
    )


def test_the_disk_counts_only_before_the_image_and_the_weights_are_on_it() -> None:
    assert "59 GB are free below /var/lib" in told(**NO_K3S, free_gb=59)
    assert problems(facts(**NO_K3S, free_gb=60)) == []
    assert problems(facts(free_gb=12)) == []


def test_an_old_driver_is_refused_with_the_package_to_install() -> None:
    shown = told(
        distribution="ubuntu",
        release="24.04",
        driver="570.133.07",
        module="570.133.07",
        module_file="570.133.07",
    )
    assert "driver is 570.133.07" in shown
    assert "apt install nvidia-driver-580-server-open" in shown


def test_without_a_driver_it_is_said_where_debian_gets_one() -> None:
    shown = told(driver="", gpu="", module="", module_file="")
    assert "nvidia-smi shows no GPU" in shown
    assert "NVIDIA's repository for Debian" in shown


def test_a_driver_that_secure_boot_keeps_out_is_told_apart_from_none() -> None:
    shown = told(driver="", gpu="", module="", module_file="580.95.05", secure_boot=True)
    assert "secure boot is on" in shown
    assert "mokutil --import" in shown


def test_without_the_firmwares_word_it_is_unknown_whether_secure_boot_keeps_the_driver_out() -> (
    None
):
    shown = told(driver="", gpu="", module="", module_file="580.95.05", secure_boot=None)
    assert "Whether secure boot is on is unknown: `mokutil --sb-state` does not tell it" in shown
    assert "`sudo modprobe nvidia` says why" in shown
    assert "apt install" not in shown


def test_a_driver_that_was_upgraded_under_the_kernel_wants_a_reboot() -> None:
    shown = told(driver="", gpu="", module="580.95.05", module_file="580.105.08")
    assert shown == (
        "NVIDIA's driver was upgraded to 580.105.08, and the kernel still runs 580.95.05. Reboot."
    )


def test_a_k3s_of_somebody_else_is_left_alone() -> None:
    shown = told(k3s="v1.34.1+k3s1", before={})
    assert "K3s v1.34.1+k3s1 is here already, and not by this command" in shown
    assert "k3s-uninstall.sh, which deletes the cluster" in shown


def test_a_machine_is_not_made_to_join_anew_through_the_connection_that_this_would_break() -> None:
    person = tailscale(tags=(), hostname="gaming-pc", name="gaming-pc.tail1234.ts.net")
    assert "--host USER@ADDRESS" in told(tailscale=person, came_from="100.90.1.2")
    assert problems(facts(tailscale=person, came_from="192.168.0.9")) == []
    assert problems(facts(tailscale=person)) == []
    assert problems(facts(came_from="100.90.1.2")) == []


@pytest.mark.parametrize(
    ("came_from", "stands_in_the_way"),
    [("100.90.1.2", True), ("fd7a:115c:a1e0::1", True), ("192.168.0.9", False), ("", False)],
)
def test_the_tailnet_is_not_left_through_the_connection_that_this_would_break(
    came_from: str, stands_in_the_way: bool
) -> None:
    told = leaving_problems(facts(came_from=came_from, before={"tailnet": {}}))
    assert bool(told) is stands_in_the_way
    assert leaving_problems(facts(came_from=came_from, before={"k3s": None})) == []


def test_settings_with_which_tailscale_refuses_to_join_are_told_before_anything_changes() -> None:
    person = tailscale(tags=(), changed=("RouteAll", "RunSSH"))
    shown = told(tailscale=person)
    assert "refuses to join as home: RouteAll, RunSSH." in shown
    assert "sudo tailscale up --reset" in shown
    assert problems(facts(tailscale=tailscale(changed=("RunSSH",)))) == []


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ({}, ()),
        ({"RouteAll": False, "CorpDNS": True, "NetfilterMode": 2, "AdvertiseRoutes": None}, ()),
        ({"RouteAll": True, "CorpDNS": False}, ("RouteAll", "CorpDNS")),
        (
            {"AdvertiseRoutes": ["10.0.0.0/8"], "OperatorUser": "me"},
            ("OperatorUser", "AdvertiseRoutes"),
        ),
    ],
)
def test_settings_of_tailscale_that_differ_from_a_fresh_ones_are_seen(
    settings: dict[str, Any], changed: tuple[str, ...]
) -> None:
    assert tailscale_of("{}", json.dumps(settings)).changed == changed


def test_a_second_device_called_home_is_noticed() -> None:
    shown = told(tailscale=tailscale(name="home-1.tail1234.ts.net"))
    assert "The tailnet calls this server home-1" in shown


def test_an_older_k3s_of_this_command_is_upgraded_and_a_newer_one_left() -> None:
    assert [step.name for step in steps(facts(k3s="v1.36.3+k3s2"))] == ["k3s"]
    assert steps(facts(k3s="v1.37.0+k3s1")) == []
    assert [step.name for step in steps(facts(k3s_enabled=False))] == ["k3s"]


def test_an_adapter_that_cannot_wake_the_machine_is_passed_over() -> None:
    assert steps(facts(wakes=None, wake_unit=False)) == []
    assert [step.name for step in steps(facts(wakes=False))] == ["wake-on-lan"]


def test_tailscale_that_does_not_run_is_started_and_not_installed_again() -> None:
    step, *_ = steps(facts(tailscale=tailscale(state="", address="", tags=())))
    assert (step.name, step.script) == (
        "tailscaled",
        "systemctl enable --now tailscaled.service\n",
    )


def test_own_package_lists_are_not_touched_where_the_package_is_there() -> None:
    placed = facts().files
    own = {
        path: replace(file, content="deb https://mirror.example x main\n")
        for path, file in placed.items()
        if path.startswith("/etc/apt")
    }
    assert len(own) == 2
    assert steps(facts(files={**placed, **own})) == []


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("SecureBoot enabled\n", True),
        ("SecureBoot disabled\nPlatform is in Setup Mode\n", False),
        ("EFI variables are not supported on this system\n", None),
        ("", None),
    ],
)
def test_mokutils_words_are_read(said: str, known: bool | None, server: Server) -> None:
    (server.root / "state/secure-boot").write_text(said)
    assert look(server.machine()).secure_boot is known
