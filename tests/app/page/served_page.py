"""The page as a process of its own, as its image starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

MAIN = Path(__file__).parents[3] / "app" / "client" / "page" / "main.py"


@contextmanager
def page_process(log: Path, **environment: str) -> Generator[str]:
    """Its URL, once it answers."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", str(MAIN)),
                *("--server.address=127.0.0.1", f"--server.port={port}"),
            ],
            env=os.environ | environment,
            stdout=out,
            stderr=out,
        )
    try:
        _await(f"{url}/_stcore/health", process, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310
                return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
