"""The files and scripts of the folder ``home/``, as far as their readers can be asked here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from hub.home.files import K3S_CONFIG, PLACED
from hub.home.machine import FILES
from hub.home.steps import values
from hub.home.waker import UNIT
from tests.support.home_facts import facts
from tests.support.home_server import STANDIN
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


@pytest.mark.parametrize("script", [*SCRIPTS, STANDIN], ids=lambda script: script.name)
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
