"""Released plugins that the network gives, with the real engine's own downloads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.plugin_archives import download_server
from tests.twin.test_engine import SETTINGS
from twin.engine import Engine
from twin.paths import TwinPaths, cache_dir
from twin.status.parts import providers
from twin.toolchain.build import folder

pytestmark = [pytest.mark.twin, pytest.mark.usefixtures("tools")]


def engine(state: Path) -> Engine:
    return Engine(TwinPaths(state), SETTINGS, f"{folder(cache_dir())}:/usr/bin:/bin")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    found = {name: tmp_path / f"pulumi-resource-{name}" for name in ("kubernetes", "random")}
    for program in found.values():
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return found


def installed_from(programs: Mapping[str, Path], state: Path) -> Engine:
    with download_server(programs) as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        engine(state).install_released_plugins()
    return engine(state)


def test_released_plugins_that_the_network_gives_take_the_emulators_place(
    programs: dict[str, Path], tmp_path: Path
) -> None:
    found = installed_from(programs, tmp_path)
    served = {row.what: row.detail for row in providers(found, {})}
    assert served["random"] == "released plugin from the plugin folder"
    assert served["kubernetes"] == "released plugin from the plugin folder"
    assert sorted(found.emulated) == ["gcp", "tailscale"]


@pytest.mark.usefixtures("programs")
def test_without_such_a_network_the_emulators_serve(tmp_path: Path) -> None:
    found = installed_from({}, tmp_path)
    assert sorted(found.emulated) == ["gcp", "kubernetes", "random", "tailscale"]
