"""Which service the commands talk to."""

from __future__ import annotations

import os

from app.client.connection import Connection
from hub.selected_stack import stack_outputs
from twin.errors import TwinError
from twin.paths import TwinPaths, state_dir


def connection(key: str | None = None) -> Connection:
    """What the environment names in full, else the twin that runs here, else the Pulumi stack.

    ``key`` is the name of one of the twin's API keys; the first one otherwise.

    Raises:
        TwinError: the twin is not deployed, or has no key of that name.
        ClientError: there is no twin, and no address or key is set.
    """
    paths = TwinPaths(state_dir())
    if key is None and is_named():
        return Connection.find()
    if not (paths.root / "twin.json").exists():
        if key is not None:
            raise TwinError(
                "--key is the name of a key of the twin, and no twin runs here. Start one with "
                "`make up`, or set OPENAI_BASE_URL and OPENAI_API_KEY and leave --key out."
            )
        return _of_the_stack()
    from twin.engine import Engine  # noqa: PLC0415  # of the extra `twin`, unlike the rest

    engine = Engine.of_running_twin(paths)
    keys: dict[str, str] = engine.outputs().get("apiKeys", {})
    if not keys:
        raise TwinError("The twin is not deployed. `hub up` deploys it, `hub clean` removes it.")
    if key is not None and key not in keys:
        raise TwinError(f"No API key is named {key!r}; there are: {', '.join(keys)}")
    secret = keys[key] if key else next(iter(keys.values()))
    return Connection(f"{engine.settings.gateway_url}/v1", secret)


def is_named() -> bool:
    """Whether the environment names a service in full."""
    return {"OPENAI_BASE_URL", "OPENAI_API_KEY"} <= os.environ.keys()


def _of_the_stack() -> Connection:
    """The environment may name one of the two, or the model."""
    outputs = stack_outputs()
    base_url = os.environ.get("OPENAI_BASE_URL") or f"{outputs['gatewayUrl']}/v1"
    api_key = os.environ.get("OPENAI_API_KEY") or next(iter(outputs["apiKeys"].values()))
    return Connection.find(base_url, api_key)
