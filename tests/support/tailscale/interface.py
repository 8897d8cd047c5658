"""Whether what is sent to Tailscale, or comes from it, is what its own Go client sends and reads.

``interface.json`` holds the client's types as JSON Schemas. Tailscale's Terraform provider 0.29.2,
which Pulumi's is made of, uses this client, tailscale.com/client/tailscale/v2 2.9.0 (MIT), and so
does ``go/go.mod``. Written anew by ``python -m tests.support.tailscale.interface``.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support import schemas

FILE = Path(__file__).with_name("interface.json")


def misfits(type_: str, value: object) -> list[str]:
    """What the client's type does not have, in the validator's words."""
    return schemas.misfits(json.loads(FILE.read_text()), type_, value)


def described() -> dict[str, Any]:
    """The client's types, from its own code; Go downloads it where it is not there yet."""
    said = subprocess.run(
        ["go", "run", "."],
        cwd=Path(__file__).with_name("go"),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(said)


if __name__ == "__main__":
    FILE.write_text(json.dumps(described(), indent=1) + "\n")
