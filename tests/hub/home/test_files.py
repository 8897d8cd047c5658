"""The files and scripts of the folder ``home/``, as far as their readers can be asked here."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from hub.home.files import K3S_CONFIG, K3S_ORDER, NVIDIA_PACKAGES, PLACED, TAILSCALE_PACKAGES
from hub.home.machine import FILES
from hub.home.steps import NVIDIA_KEY, tailscale_key, values
from hub.home.waker import UNIT
from tests.support.booted_server import BOOT
from tests.support.debian_server import METHOD
from tests.support.home_facts import ADDRESS, facts
from tests.support.home_server import OF_K3S, STANDIN
from tests.support.shellcheck import findings

K3S_KEYS = {
    *("node-name", "node-ip", "tls-san", "kube-proxy-arg", "secrets-encryption"),
    "write-kubeconfig-mode",
}
"""As K3s' reference of `k3s server` spells them: docs.k3s.io/cli/server."""
SCRIPTS = sorted(FILES.glob("*.sh"))


def content(path: str) -> str:
    [file] = [one for one in (*PLACED, UNIT) if one.path == path]
    return file.content({**values(facts()), "PORT": "7390", "MAC": "04:42:1a:00:00:01"})


def test_every_file_of_the_folder_is_placed_or_run() -> None:
    found = {
        f"/{file.relative_to(FILES)}"
        for file in FILES.rglob("*")
        if file.is_file() and FILES / "waker" not in file.parents
    }
    assert {file.path for file in PLACED} == {path for path in found if path.startswith("/etc/")}
    assert all(path.endswith(".sh") for path in found if not path.startswith("/etc/"))


@pytest.mark.parametrize("path", [file.path for file in PLACED])
def test_every_value_of_a_file_is_filled_in(path: str) -> None:
    assert "@" not in content(path)


def test_the_k3s_file_has_only_keys_that_k3s_knows() -> None:
    settings = yaml.safe_load(content(K3S_CONFIG.path))
    assert set(settings) == K3S_KEYS


WAIT = (
    "/bin/sh -c 'for i in $(seq 60); do ip -4 -o addr show tailscale0 | grep -q inet && exit 0; "
    'sleep 2; done; echo "no tailnet address after 120 s: tailscale status"; exit 1\''
)
LINES = {
    "/etc/systemd/system/k3s.service.d/10-tailscale.conf": [
        "[Unit]",
        "Wants=tailscaled.service network-online.target",
        "After=tailscaled.service network-online.target",
        "[Service]",
        f"ExecStartPre={WAIT}",
    ],
    "/etc/systemd/system/home-wake-on-lan.service": [
        "[Unit]",
        "Description=Wake-on-LAN on enp5s0",
        "After=network.target",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        "ExecStart=/usr/sbin/ethtool -s enp5s0 wol g",
        "[Install]",
        "WantedBy=multi-user.target",
    ],
    "/etc/systemd/system/home-waker.service": [
        "[Unit]",
        "Description=Wakes the home server when the gateway asks",
        "Wants=tailscaled.service",
        "After=tailscaled.service",
        "StartLimitIntervalSec=0",
        "[Service]",
        f"ExecStart=/usr/bin/python3 /usr/local/lib/home-waker.py {ADDRESS} 7390 04:42:1a:00:00:01",
        "Restart=always",
        "RestartSec=5",
        "DynamicUser=yes",
        "[Install]",
        "WantedBy=multi-user.target",
    ],
    "/etc/apt/sources.list.d/tailscale.list": [
        (
            "deb [signed-by=/usr/share/keyrings/tailscale-archive-keyring.gpg] "
            "https://pkgs.tailscale.com/stable/debian bookworm main"
        )
    ],
    "/etc/apt/sources.list.d/nvidia-container-toolkit.list": [
        (
            "deb [signed-by=/usr/share/keyrings/nvidia-container-toolkit.asc] "
            "https://nvidia.github.io/libnvidia-container/stable/deb/$(ARCH) /"
        )
    ],
}
"""What each file says on a server, without its comments. K3s' own is read in test_install.py."""


def test_each_file_says_what_was_decided() -> None:
    said = {
        file.path: [line for line in content(file.path).splitlines() if line[:1] not in {"#", ""}]
        for file in (*PLACED, UNIT)
        if file != K3S_CONFIG
    }
    assert said == LINES


def test_apt_trusts_each_list_by_the_key_that_is_fetched_for_it() -> None:
    for file, key in (
        (NVIDIA_PACKAGES, NVIDIA_KEY[1]),
        (TAILSCALE_PACKAGES, tailscale_key(facts())[1]),
    ):
        assert f"deb [signed-by={key}] https://" in content(file.path)


@pytest.mark.parametrize(
    ("looks", "succeeds"), [(1, True), (3, True), (60, True), (61, False)], ids=str
)
def test_k3s_waits_for_the_tailnet_address_at_most_two_minutes_and_says_what_is_missing(
    looks: int, succeeds: bool, tmp_path: Path
) -> None:
    """``ip`` shows an address at this look; ``sleep`` notes how long, and does not."""
    asked = tmp_path / "asked"
    programs = {
        "ip": f'echo "$*" >>{asked}\n[ $(wc -l <{asked}) -lt {looks} ] || echo "4: inet 100.1.1.1"',
        "sleep": f"echo $1 >>{tmp_path}/slept",
    }
    for name, does in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    [line] = [one for one in content(K3S_ORDER.path).splitlines() if "ExecStartPre=" in one]
    done = subprocess.run(
        shlex.split(line.partition("=")[2]),
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(asked.read_text().splitlines()) == {"-4 -o addr show tailscale0"}
    slept = (tmp_path / "slept").read_text().split() if looks > 1 else []
    assert sum(map(int, slept)) == 2 * (min(looks, 61) - 1)
    assert (done.returncode == 0) is succeeds
    assert done.stdout == ("" if succeeds else "no tailnet address after 120 s: tailscale status\n")


@pytest.mark.parametrize(
    "script", [*SCRIPTS, STANDIN, OF_K3S[0], BOOT, METHOD], ids=lambda script: script.name
)
def test_shellcheck_finds_nothing_in_a_script(script: Path) -> None:
    assert findings(script.read_text(), "sh") == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_can_be_parsed(script: Path) -> None:
    done = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/etc/systemd/system/k3s.service.d/10-tailscale.conf", "ExecStartPre"),
        ("/etc/systemd/system/home-wake-on-lan.service", "RemainAfterExit"),
        ("/etc/systemd/system/home-waker.service", "DynamicUser"),
    ],
)
def test_systemd_understands_a_unit(path: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "k3s.service").write_text("[Service]\nType=notify\nExecStart=/bin/true\n")
    file = tmp_path / path.removeprefix("/etc/systemd/system/")
    file.parent.mkdir(exist_ok=True)
    # The program is on the server, and not where the test runs.
    text = content(path).replace("/usr/sbin/ethtool", "/bin/true")
    unit = file.parent.with_suffix("") if file.parent.suffix == ".d" else file

    def problems() -> str:
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
            capture_output=True,
            text=True,
            check=False,
        )
        return "\n".join(line for line in done.stderr.splitlines() if str(tmp_path) in line)

    file.write_text(text)
    assert problems() == ""
    file.write_text(text.replace(word, word + "e"))
    assert word + "e" in problems()
