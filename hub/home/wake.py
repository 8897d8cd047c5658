"""Wake-on-LAN through another device of the tailnet that is in the same LAN as home.

Tailscale sends the packet itself: each node has a PeerAPI whose `/v0/wol` broadcasts it on all of
its interfaces (tailscale 1.102.3, feature/wakeonlan). It does so for devices of the same person.
The capability that others need is not one that a tailnet's policy may grant, so that questions
wake home in another way (docs/decisions/0025).
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from hub.home.machine import HomeError
from hub.home.requirements import NAME

ANSWER_SECONDS = 10


@dataclass(frozen=True)
class Waker:
    """A device that sends the packet."""

    name: str
    url: str
    """Of its PeerAPI."""


def status() -> Mapping[str, Any]:
    """This computer's view of the tailnet.

    Raises:
        HomeError: Tailscale is not here, or does not run.
    """
    try:
        done = subprocess.run(
            ["tailscale", "status", "--json"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise HomeError(
            "Tailscale is not installed on this computer, and home is reached by it."
        ) from None
    known: dict[str, Any] = json.loads(done.stdout or "{}")
    if known.get("BackendState") != "Running":
        raise HomeError("This computer is not in the tailnet: `tailscale up`.")
    return known


def waker(known: Mapping[str, Any], name: str) -> Waker:
    """The device of this name.

    Raises:
        HomeError: there is none, or it is not online.
    """
    peers = _peers(known)
    peer = peers.get(name)
    if peer is None:
        there = ", ".join(sorted(n for n, p in peers.items() if p.get("Online"))) or "none"
        raise HomeError(f"No device of the tailnet is called {name}; online are: {there}.")
    if not peer.get("Online") or not peer.get("PeerAPIURL"):
        raise HomeError(
            f"{name} is not online, so it cannot wake {NAME}. Switch it on, or ask through another "
            "device."
        )
    return Waker(name, peer["PeerAPIURL"][0])


def _peers(known: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """By the first label of their names."""
    peers: dict[str, dict[str, Any]] = known.get("Peer") or {}
    return {str(p["DNSName"]).partition(".")[0]: p for p in peers.values() if p.get("DNSName")}


def send(waker: Waker, mac: str) -> list[str]:
    """Have the magic packet sent; the interfaces that it went out on.

    Raises:
        HomeError: the device refuses, or sent nothing.
    """
    try:
        answer = httpx2.post(
            f"{waker.url}/v0/wol", params={"mac": mac}, timeout=ANSWER_SECONDS, trust_env=False
        )
    except httpx2.HTTPError as error:
        raise HomeError(
            f"{waker.name} does not answer over the tailnet ({error or type(error).__name__}). "
            f"See whether `tailscale ping {waker.name}` is answered, or ask through another device."
        ) from error
    if answer.status_code == 403:
        raise HomeError(
            f"{waker.name} wakes devices for its own owner only: it is another person's than this "
            "computer, or one of the two has a tag. Ask through another device."
        )
    if answer.status_code == 404:
        raise HomeError(f"The Tailscale of {waker.name} cannot wake others; update it.")
    if answer.status_code != 200:
        raise HomeError(
            f"{waker.name} refused to send it ({answer.status_code}: {answer.text.strip()}). Is "
            "the MAC the one that `hub home check` shows?"
        )
    sent: dict[str, list[str] | None] = answer.json()
    if not sent.get("SentTo"):
        why = "; ".join(sent.get("Errors") or ())
        raise HomeError(
            f"{waker.name} could not send it ({why}). See whether it is connected to home's LAN, "
            "or ask through another device."
        )
    return sent["SentTo"] or []


def await_home(seconds: float) -> bool:
    """Whether home answers over the tailnet within this time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # Whether the control server still thinks that home is online says nothing.
        ping = ["tailscale", "ping", "-c", "1", "--timeout", "3s", NAME]
        if subprocess.run(ping, capture_output=True, check=False).returncode == 0:
            return True
        time.sleep(1)
    return False
