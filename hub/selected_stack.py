"""The outputs of the Pulumi stack that is selected."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from app.client.errors import ClientError

HOW = (
    "Set OPENAI_BASE_URL and OPENAI_API_KEY, or run where `pulumi stack output` shows the stack "
    "that is deployed."
)


def stack_outputs() -> dict[str, Any]:
    """With the address of the gateway (``gatewayUrl``) and the keys by name (``apiKeys``).

    Raises:
        ClientError: there is no Pulumi, no stack, or it is not deployed.
    """
    try:
        shown = subprocess.run(
            ["pulumi", "stack", "output", "--json", "--show-secrets", "--non-interactive"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except FileNotFoundError:
        raise ClientError(f"No address or no API key is set. {HOW}") from None
    except subprocess.TimeoutExpired:
        raise ClientError(f"`pulumi stack output` did not end in 60 s. {HOW}") from None
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip().splitlines()[-1:]
        raise ClientError(f"`pulumi stack output` failed: {' '.join(said)}. {HOW}") from None
    outputs: dict[str, Any] = json.loads(shown.stdout)
    if not outputs.get("gatewayUrl") or not outputs.get("apiKeys"):
        raise ClientError(f"The selected Pulumi stack is not deployed. {HOW}")
    return outputs
