"""Imports point one way: the program knows the components, they know `app`, nothing knows more."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} has no code: this test would test nothing"
    return found


def imported(file: Path) -> set[str]:
    """The modules a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    whole = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    return whole | {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module}


@pytest.mark.parametrize("file", sources("app"), ids=lambda f: str(f.relative_to(ROOT)))
def test_app_knows_neither_pulumi_nor_the_infrastructure(file: Path) -> None:
    tops = {name.partition(".")[0].partition("_")[0] for name in imported(file)}
    assert not tops & {"pulumi", "infra", "twin", "policy", "doctor", "hub"}


@pytest.mark.parametrize("file", sources("infra"), ids=lambda f: str(f.relative_to(ROOT)))
def test_nothing_in_the_program_knows_the_twin(file: Path) -> None:
    above = {"twin", "doctor", "hub", "tests"}
    assert not {name for name in imported(file) if name.partition(".")[0] in above}


@pytest.mark.parametrize("file", sources("twin"), ids=lambda f: str(f.relative_to(ROOT)))
def test_the_twin_does_not_know_who_looks_at_it(file: Path) -> None:
    above = {"doctor", "hub", "tests"}
    assert not {name for name in imported(file) if name.partition(".")[0] in above}


COMPONENTS = ("gcp", "home_k3s", "tailnet")


@pytest.mark.parametrize("folder", COMPONENTS)
def test_no_component_knows_another_ones_package(folder: str) -> None:
    others = {f"infra.{other}" for other in COMPONENTS if other != folder}
    for file in sources(f"infra/{folder}"):
        known = {".".join(name.split(".")[:2]) for name in imported(file)}
        assert not known & {*others, "infra.program"}, file


def test_only_the_program_makes_providers_exports_and_reads_settings() -> None:
    forbidden = ("pulumi.export(", ".Provider(", "pulumi.Config(", "merge(opts")
    for file in sources("infra"):
        if file.name != "program.py":
            text = file.read_text()
            assert [word for word in forbidden if word in text] == [], file


@pytest.mark.parametrize("module", ["hub.keys", "hub.status", "hub.doctor", "hub.home.check"])
def test_a_command_that_looks_does_not_wait_for_pulumis_import(module: str) -> None:
    """A quarter of a second."""
    program = f"import {module}, sys; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
