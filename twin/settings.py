"""What can be set about a twin: its ports on the normal machine and how its network is made."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass, fields
from typing import Literal, Self

from twin.errors import TwinError
from twin.paths import TwinPaths
from twin.whole_file import write_whole

IDLE_SECONDS = 900
"""Cloud Run keeps an idle instance for up to 15 minutes (container contract, "Idle instances")."""
Mode = Literal["namespaces", "user-namespaces", "flat"]


@dataclass(frozen=True, kw_only=True)
class TwinSettings:
    """Kept in the state folder while the twin runs, so that every command agrees."""

    gateway_port: int
    client_port: int
    kubernetes_port: int
    """The API server's, inside home and outside: one kubeconfig fits both."""
    providers_port: int
    """The first of four."""
    network: Mode | Literal["auto"]
    idle_seconds: int = IDLE_SECONDS
    """Without a request for so long, Cloud Run stops the instance."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read ``HUB_GATEWAY_PORT`` and its siblings.

        Raises:
            TwinError: a value is not a port or a number of seconds, or ``HUB_NETWORK`` is no mode.
        """
        network = os.environ.get("HUB_NETWORK", "auto")
        if network not in ("auto", "namespaces", "user-namespaces", "flat"):
            raise TwinError(
                f"HUB_NETWORK is {network!r}; write auto, namespaces, user-namespaces or flat"
            )
        return cls(
            gateway_port=_port("HUB_GATEWAY_PORT", 8080),
            client_port=_port("HUB_CLIENT_PORT", 8501),
            kubernetes_port=_port("HUB_KUBERNETES_PORT", 6443),
            providers_port=_port("HUB_PROVIDERS_PORT", 7731),
            network=network,
            idle_seconds=_idle_seconds(),
        )

    @classmethod
    def of_running_twin(cls, paths: TwinPaths) -> Self:
        """What the twin in this state folder was started with.

        Raises:
            TwinError: no twin was started there.
        """
        file = paths.root / "twin.json"
        if not file.exists():
            raise TwinError("No twin runs here; start one with `make up` (or `hub up`)")
        kept = json.loads(file.read_text())
        # An older version of `hub` may have kept fewer settings; the others have defaults.
        return cls(**{f.name: kept[f.name] for f in fields(cls) if f.name in kept})

    def keep(self, paths: TwinPaths) -> None:
        write_whole(paths.root / "twin.json", json.dumps(asdict(self)))

    def refuse_taken_ports(self) -> None:
        """Ask before anything starts.

        Raises:
            TwinError: naming each port that another program holds, and how to choose another.
        """
        wanted = [
            ("HUB_GATEWAY_PORT", self.gateway_port),
            ("HUB_CLIENT_PORT", self.client_port),
            ("HUB_KUBERNETES_PORT", self.kubernetes_port),
            *(("HUB_PROVIDERS_PORT", port) for port in self.provider_ports.values()),
        ]
        taken = [f"  {name}={port}" for name, port in wanted if _taken(port)]
        if taken:
            raise TwinError(
                "These ports of 127.0.0.1 are in use by another program:\n"
                + "\n".join(taken)
                + f"\nSet another, for example: {taken[0].strip().split('=')[0]}=18080 make up"
            )

    @property
    def provider_ports(self) -> dict[str, int]:
        names = ("kubernetes", "gcp", "tailscale", "random")
        return {name: self.providers_port + i for i, name in enumerate(names)}

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def client_url(self) -> str:
        return f"http://127.0.0.1:{self.client_port}"


def _port(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise TwinError(f"{name} is {text!r}; write a port number from 1 to 65535")
    return int(text)


def _idle_seconds() -> int:
    text = os.environ.get("HUB_IDLE_SECONDS", str(IDLE_SECONDS))
    if not text.isdecimal() or int(text) < 1:
        raise TwinError(f"HUB_IDLE_SECONDS is {text!r}; write a whole number of seconds from 1")
    return int(text)


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
