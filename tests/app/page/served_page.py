"""The page as a process of its own, as its image starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.app.page.fake_service import KEY, FakeService
from tests.support.http_server import first_response
from tests.support.ports import free_port

PAGE = Path(__file__).parents[3] / "app" / "client" / "page"
MAIN, SERVE = PAGE / "main.py", PAGE / "serve.py"


@contextmanager
def page_process(log: Path, service: FakeService, **environment: str) -> Generator[str]:
    """The URL of a page that asks this service, once it answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", str(SERVE)),
                *("--server.address=127.0.0.1", f"--server.port={port}"),
            ],
            env=os.environ | {"OPENAI_BASE_URL": service.url, "OPENAI_API_KEY": KEY} | environment,
            stdout=out,
            stderr=out,
        )
    try:
        first_response(f"{url}/_stcore/health", process, log.read_text)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            # Streamlit (1.67) said "Stopping..." and stayed, in 2 of 5 runs beside other work.
            process.kill()
            process.wait(20)
