"""What a robot installs: the wheel, with nothing but the client's own dependencies."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
UV = [sys.executable, "-m", "uv"]
IMPORTS = """
import importlib.util, sys
import app.client
for name in app.client.__all__:
    getattr(app.client, name)
import app.client.grounding.draw, app.client.grounding.export, app.client.evaluation.run
for name in ("streamlit", "typer", "rich", "pulumi", "psutil", "starlette"):
    assert importlib.util.find_spec(name) is None, name
print(app.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy, for a build leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "repository"
    for name in ("app", "doctor", "hub", "infra", "policy", "twin"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = [*UV, "build", "-q", "--wheel", "--no-build-isolation", f"--python={sys.executable}"]
    subprocess.run([*build, f"--out-dir={folder}", str(copy)], check=True, timeout=120)
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_has_the_types_and_what_the_programs_read(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "app/py.typed",
        "app/client/page/style.css",
        "app/client/page/.streamlit/config.toml",
        "infra/gcp/prices.yaml",
        "policy/PulumiPolicy.yaml",
        "twin/tools/vllm/requirements.txt",
        "twin/model/weights/model.safetensors",
    ):
        assert name in names
    assert not [name for name in names if name.startswith("tests/")]


def installed(what: str, environment: Path) -> Path:
    """The Python of a fresh environment that has this alone."""
    python = environment / "bin" / "python"
    create = [*UV, "venv", "-q", f"--python={sys.executable}", str(environment)]
    subprocess.run(create, check=True, timeout=60)
    install = [*UV, "pip", "install", "-q", f"--python={python}", f"-c{ROOT / 'requirements.txt'}"]
    # What `make` has installed is at hand; else the package index is asked.
    offline = subprocess.run(
        [*install, "--offline", what], capture_output=True, timeout=120, check=False
    )
    if offline.returncode != 0:
        subprocess.run([*install, what], check=True, timeout=300)
    return python


def test_the_client_is_imported_with_its_base_dependencies_alone(
    wheel: Path, tmp_path: Path
) -> None:
    python = installed(str(wheel), tmp_path / "venv")
    done = subprocess.run(
        [str(python), "-I", "-W", "error", "-c", IMPORTS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))


def test_hub_starts_with_its_extra_alone_and_tells_what_the_other_commands_need(
    wheel: Path, tmp_path: Path
) -> None:
    hub = installed(f"{wheel}[hub]", tmp_path / "venv").with_name("hub")

    def run(*arguments: str) -> tuple[int, str]:
        environment = {"PATH": str(tmp_path), "HOME": str(tmp_path), "COLUMNS": "200"}
        done = subprocess.run(
            [str(hub), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    code, told = run("--help")
    assert code == 0, told
    assert "Needs a checkout of the repository." in told
    assert "Find things in a picture, or in each picture of a folder." in told
    for command in ("ask", "detect", "eval"):
        code, told = run(command, "--help")
        assert code == 0, told
        assert "Needs" not in told
    code, told = run("ask", "hello")
    assert (code, told.startswith("error: No address or no API key is set.")) == (1, True), told
    code, told = run("up", "--lan")
    assert (code, told.startswith("hub up: Needs a checkout of the repository")) == (1, True), told
    code, told = run("policy")
    assert (code, told.startswith("hub policy: Needs a package that is not")) == (1, True), told


def test_the_image_of_the_client_has_the_base_and_the_page() -> None:
    def names(lines: list[str]) -> set[str]:
        return {re.split(r"[=<>]", line)[0] for line in lines}

    text = (ROOT / "app" / "client" / "requirements.in").read_text()
    wanted = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert names(wanted) == names(
        PROJECT["dependencies"] + PROJECT["optional-dependencies"]["page"]
    )


def test_every_extra_is_installed_here() -> None:
    assert set(PROJECT["optional-dependencies"]) == {"page", "hub", "infra", "twin"}
    locked = (ROOT / "requirements.txt").read_text()
    for extra in PROJECT["optional-dependencies"].values():
        for line in extra:
            assert re.search(rf"^{re.escape(line.split(';')[0])}\b", locked, re.MULTILINE), line
