"""A real Traefik on loopback, with a configuration from a file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.ports import free_port


@contextmanager
def running_traefik(folder: Path, http: Mapping[str, Any]) -> Generator[int]:
    """Its port; ``http`` has the routers, middlewares and services."""
    found = shutil.which("traefik") or str(Path(sys.executable).parent / "traefik")
    port, file = free_port(), folder / "routes.yaml"
    file.write_text(json.dumps({"http": http}))  # which is YAML, too
    command = [
        *(found, f"--entrypoints.web.address=127.0.0.1:{port}"),
        *(f"--providers.file.filename={file}", "--global.checknewversion=false"),
        "--global.sendanonymoususage=false",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            yield port
        finally:
            run.terminate()


def at_home(port: int, **more: object) -> dict[str, Any]:
    """The services: one server on loopback."""
    return {"home": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}], **more}}}
