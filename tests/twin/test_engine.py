"""Which providers the twin emulates, with a fake engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from twin.engine import ROOT, Engine
from twin.network import ADDRESSES
from twin.parts.tailnet import HEADSCALE_PORT
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.toolchain.released_plugins import sdk

TWIN = ROOT / "Pulumi.twin.yaml"
SETTINGS = TwinSettings(
    gateway_port=1, client_port=2, kubernetes_port=3, providers_port=7731, network="auto"
)


def engine(
    tmp_path: Path, plugins: list[str], on_path: list[str], version: str | None = None
) -> Engine:
    """With plugins in the engine's folder, of the SDK's version unless told another."""
    listed = json.dumps(
        [{"name": n, "kind": "resource", "version": version or sdk(n)} for n in plugins]
    )
    programs = {"pulumi": f"echo '{listed}'", **dict.fromkeys(on_path, "")}
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    return Engine(TwinPaths(tmp_path / "state"), SETTINGS, f"{tmp_path}:/bin")


def test_without_released_plugins_all_four_are_emulated_on_their_ports(tmp_path: Path) -> None:
    assert engine(tmp_path, [], []).emulated == {
        "kubernetes": 7731,
        "gcp": 7732,
        "tailscale": 7733,
        "random": 7734,
    }


@pytest.mark.parametrize(
    ("plugins", "on_path"),
    [
        (["kubernetes", "random"], []),
        ([], ["pulumi-resource-kubernetes", "pulumi-resource-random"]),
    ],
)
def test_a_released_plugin_in_the_engines_folder_or_on_path_takes_the_emulators_place(
    tmp_path: Path, plugins: list[str], on_path: list[str]
) -> None:
    found = engine(tmp_path, plugins, on_path)
    assert sorted(found.emulated) == ["gcp", "tailscale"]
    attached = found.twin_environment["PULUMI_DEBUG_PROVIDERS"]
    assert attached == "gcp:7732,tailscale:7733"


def test_a_plugin_of_another_version_is_none_to_the_engine(tmp_path: Path) -> None:
    assert len(engine(tmp_path, ["kubernetes", "random"], [], version="4.0.0").emulated) == 4


def test_a_twin_keeps_to_the_providers_that_it_began_with(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    begun = engine(tmp_path, ["random"], [])
    begun.install_released_plugins()
    later = engine(tmp_path, ["kubernetes", "random"], [])
    assert sorted(later.emulated) == ["gcp", "kubernetes", "tailscale"]


def test_plugins_that_need_their_cloud_are_not_used(tmp_path: Path) -> None:
    assert len(engine(tmp_path, ["gcp", "tailscale"], []).emulated) == 4


def test_on_a_flat_network_the_chosen_stack_file_is_the_one_that_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = tmp_path / "mine.yaml"
    chosen.write_text(TWIN.read_text().replace("[laptop, robot]", "[phone]"))
    monkeypatch.setenv("PULUMI_OPTION_CONFIG_FILE", str(chosen))
    flat = engine(tmp_path, [], [])
    flat.paths.pulumi_backend.parent.mkdir(parents=True)
    (tmp_path / "pulumi").write_text('#!/bin/sh\necho \'[{"name": "twin", "kind": "x"}]\'\n')
    flat.configure("flat")
    assert "- phone" in (flat.paths.root / "Pulumi.twin.yaml").read_text()


def test_on_a_flat_network_only_the_control_servers_address_differs(tmp_path: Path) -> None:
    flat = engine(tmp_path, [], [])
    flat.paths.pulumi_backend.parent.mkdir(parents=True)
    (tmp_path / "pulumi").write_text('#!/bin/sh\necho \'[{"name": "twin", "kind": "x"}]\'\n')
    flat.configure("flat")
    [written] = flat.paths.root.glob("Pulumi.*.yaml")
    deployed, original = yaml.safe_load(written.read_text()), yaml.safe_load(TWIN.read_text())
    tailnet = original["config"]["personal-cloud-hub:settings"]["tailnet"]
    assert tailnet == {"controlUrl": f"http://{ADDRESSES['inet']}:{HEADSCALE_PORT}"}
    tailnet["controlUrl"] = f"http://127.0.0.1:{HEADSCALE_PORT}"
    assert deployed == original
