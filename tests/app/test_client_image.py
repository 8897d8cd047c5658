"""The web client's image: its Dockerfile, and the files it would hold, run without Docker.

There is no container engine here, so the base image itself is not built on: the steps are applied
to a folder, with a Python of this machine in place of the image's.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.http_server import first_response
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "app" / "client" / "Dockerfile"
NOBODY = 65534


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments on one line."""
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def of(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


def test_the_dockerfile_is_clean() -> None:
    hadolint = shutil.which("hadolint") or str(Path(sys.executable).parent / "hadolint")
    told = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (0, "")


def test_the_image_says_what_it_is_and_runs_as_an_ordinary_user() -> None:
    [labels] = of("LABEL")
    assert 'org.opencontainers.image.title="rtx3090-web-client"' in labels
    assert 'personal-cloud-hub.role="web-client, not the gateway"' in labels
    assert of("USER") == ["10001"]
    assert of("EXPOSE") == ["8501"]
    assert "/_stcore/health" in of("HEALTHCHECK")[0]
    assert [word for word, _ in instructions()].index("USER") > [
        word for word, _ in instructions()
    ].index("RUN")


def test_every_dependency_of_the_image_is_the_one_that_was_tested_with_and_has_a_hash() -> None:
    pinned = re.findall(
        r"^(\S+==\S+)(.*?)(?=^\S|\Z)",
        (ROOT / "app/client/requirements.txt").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    ours = set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert len(pinned) > 20
    assert {pin for pin, _ in pinned} <= ours
    assert all("--hash=sha256:" in hashes for _, hashes in pinned)


def test_the_build_gets_no_more_than_the_client_and_what_it_imports() -> None:
    context = sorted(str(path.relative_to(ROOT)) for path in build_context())
    assert "app/client/page/serve.py" in context
    assert "app/client/page/.streamlit/config.toml" in context
    assert "app/client/requirements.txt" in context
    assert not [path for path in context if not path.startswith(("app/client/", "app/model/"))][1:]
    assert not [path for path in context if "evaluation" in path or "Dockerfile" in path]


def build_context() -> list[Path]:
    """What ``Dockerfile.dockerignore`` lets through: the last pattern that matches decides."""
    text = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text()
    patterns = [line for line in text.splitlines() if line and not line.startswith("#")]

    def is_ignored(path: Path) -> bool:
        names = [str(each) for each in (path, *path.parents)]
        ignored = False
        for pattern in patterns:
            if any(fnmatch.fnmatch(name, pattern.removeprefix("!")) for name in names):
                ignored = not pattern.startswith("!")
        return ignored

    files = [path for path in (ROOT / "app").rglob("*") if path.is_file()]
    return [path for path in files if not is_ignored(path.relative_to(ROOT))]


@pytest.fixture(scope="module")
def root() -> Generator[Path]:
    """The folder that COPY and RUN make; readable to everybody, as an image is."""
    with tempfile.TemporaryDirectory(prefix="client-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for path in build_context():
            target = folder / "context" / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        for copied in of("COPY"):
            source, target = copied.split()
            kept, placed = folder / "context" / source, folder / target.removeprefix("/")
            placed.parent.mkdir(parents=True, exist_ok=True)
            if kept.is_dir():
                shutil.copytree(kept, placed)
            else:
                shutil.copyfile(kept, placed)
        shutil.rmtree(folder / "context")
        install(folder)
        yield folder


def install(folder: Path) -> None:
    """What the RUN step's pip does, by uv, which has the packages at hand."""
    [step] = of("RUN")
    assert step.startswith(
        "pip install --no-cache-dir --no-compile --require-hashes -r /srv/requirements.txt "
    )
    python = shutil.which("python3.11", path="/usr/bin") or sys.executable
    uv = [sys.executable, "-m", "uv"]
    venv = folder / "venv"
    subprocess.run(
        [*uv, "venv", "-q", f"--python={python}", str(venv)],
        check=True,
        timeout=60,
    )
    subprocess.run(
        [
            *(*uv, "pip", "install", "-q", "--require-hashes"),
            f"--python={venv / 'bin' / 'python'}",
            *("-r", str(folder / "srv" / "requirements.txt")),
        ],
        check=True,
        timeout=300,
    )


@pytest.mark.browser
def test_the_files_of_the_image_serve_the_page_to_an_ordinary_user(root: Path) -> None:
    [command] = of("CMD")
    port = free_port()
    loopback = f"--server.address=127.0.0.1 --server.port={port}".split()
    words = [word.replace("/srv/", f"{root}/srv/") for word in json.loads(command)]
    assert words[-2].startswith("--server.address=")
    assert words[-1] == "--server.port=8501"
    words[-2:] = loopback
    words[0] = str(root / "venv" / "bin" / words[0])
    home = root / "home"
    home.mkdir()
    home.chmod(0o777)
    process = subprocess.Popen(
        words,
        env={
            "PYTHONPATH": f"{root}/srv",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
            "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
            "OPENAI_API_KEY": "key",
        },
        cwd=root / "srv",
        user=NOBODY if os.geteuid() == 0 else None,
        group=NOBODY if os.geteuid() == 0 else None,
        extra_groups=[] if os.geteuid() == 0 else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{port}/_stcore/health"
        assert first_response(url, process) == b"ok"
    finally:
        process.terminate()
        told, _ = process.communicate(timeout=20)
    assert "Traceback" not in told


@pytest.mark.browser
def test_the_page_runs_on_nothing_but_what_was_copied_and_installed(root: Path) -> None:
    """One whole run of the page, with no other ``app`` and no other packages to be found."""
    script = (
        "from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file('srv/app/client/page/main.py', default_timeout=60).run()\n"
        "assert not at.exception, at.exception\n"
        "assert at.title[0].value == 'Ask your GPU at home', at.title\n"
        "import sys, app\n"
        "print(app.__file__)\n"
    )
    environment = {
        "PYTHONPATH": f"{root}/srv",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_API_KEY": "key",
    }
    told = subprocess.run(
        [str(root / "venv" / "bin" / "python"), "-c", script],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == str(root / "srv" / "app" / "__init__.py")
