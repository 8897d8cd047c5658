"""One of the Pythons that were tried makes the environment, and no other does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TRIED = ["3.11", "3.12", "3.13"]


def stand_in(path: Path, version: str) -> None:
    """A Python that says it is of a version, and ends when an environment is asked of it."""
    told = tuple(map(int, version.split(".")))
    path.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = -V ] && echo "Python {version}" && exit\n'
        f'[ "$1" = -m ] && echo "environment by $0" && exit 7\n'
        f"exec {sys.executable} -c "
        f'"import sys; sys.version_info = {told}; exec(sys.argv[1])" "$2"\n'
    )
    path.chmod(0o755)


def make(folder: Path, pythons: Mapping[str, str], *arguments: str) -> str:
    """What `make` says where these Pythons, by name and version, are all there is on PATH."""
    for file in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / file, folder)
    commands = folder / "commands"
    commands.mkdir()
    for name, version in pythons.items():
        stand_in(commands / name, version)
    program = shutil.which("make")
    assert program
    done = subprocess.run(
        [program, "--no-print-directory", *arguments, ".venv/ready"],
        cwd=folder,
        env={"PATH": str(commands)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stdout


@pytest.mark.parametrize("version", ["3.9.2", "3.10.12", "3.14.1", "4.11.0"])
def test_a_python_that_was_not_tried_is_refused_with_what_to_do(
    version: str, tmp_path: Path
) -> None:
    said = make(tmp_path, {"python3": version})
    assert "was only tried with Python 3.11 3.12 3.13, and python3 is Python " + version in said
    assert "make PYTHON=/path/to/python3.11" in said
    assert "environment by" not in said


def test_a_refused_python_that_was_named_is_told_by_its_name(tmp_path: Path) -> None:
    said = make(tmp_path, {"python3": "3.12.1", "mine": "3.10.1"}, "PYTHON=mine")
    assert "mine is Python 3.10.1" in said
    assert "environment by" not in said


@pytest.mark.parametrize(
    ("pythons", "taken"),
    [
        ({"python3": "3.11.7"}, "python3"),
        ({"python3": "3.12.1"}, "python3"),
        ({"python3": "3.13.0"}, "python3"),
        ({"python3": "3.13.0", "python3.11": "3.11.2"}, "python3"),
        ({"python3": "3.10.12", "python3.12": "3.12.3"}, "python3.12"),
        ({"python3": "3.14.0", "python3.13": "3.13.1", "python3.11": "3.11.9"}, "python3.11"),
        ({"python3.13": "3.13.1"}, "python3.13"),
    ],
)
def test_the_machines_own_python_is_taken_first_and_else_one_that_was_tried(
    pythons: dict[str, str], taken: str, tmp_path: Path
) -> None:
    said = make(tmp_path, pythons)
    assert f"environment by {tmp_path}/commands/{taken}\n" in said


@pytest.mark.parametrize("failing", ["pip", "uv"])
def test_packages_that_could_not_be_installed_are_told_with_what_to_do(
    failing: str, tmp_path: Path
) -> None:
    for file in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\n"
        '[ "$2" = venv ] || exit 0\n'
        "mkdir -p .venv/bin\n"
        f"printf '#!/bin/sh\nexit {int(failing == 'pip')}\n' > .venv/bin/python\n"
        "printf '#!/bin/sh\nexit 1\n' > .venv/bin/uv\n"
        "chmod +x .venv/bin/*\n"
    )
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "--no-print-directory", f"PYTHON={python}", "venv"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},  # without what a make around it says
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == (
        "Python packages: half a minute\n"
        "The Python packages were not installed; why stands above. Is Python's package registry "
        "reachable,\nand is there room on the disk? Then run the same command again.\n"
    )
    assert not (tmp_path / ".venv/ready").exists()


def test_the_workflow_and_the_readme_name_the_pythons_that_were_tried() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())
    assert workflow["jobs"]["check"]["strategy"]["matrix"]["python"] == TRIED
    needs = re.search(
        r"^- Python (.+?) with `venv`", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert needs
    assert re.findall(r"[\d.]+\d", needs[1]) == TRIED
    pythons = re.search(r"^PYTHONS = (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert pythons
    assert pythons[1].split() == TRIED
