"""Go modules of other projects, for what they publish beside their code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path


def downloaded(module: str, version: str) -> Path:
    """The module's folder; Go downloads it where it is not there yet."""
    asked = ("go", "mod", "download", "-json", f"{module}@{version}")
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    return Path(json.loads(said)["Dir"])
