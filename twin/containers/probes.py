"""Probes as Kubernetes and Cloud Run define them: one attempt, and how often to try."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, kw_only=True)
class Probe:
    """An HTTP GET that must answer 200-399, or, without a path, a TCP connection."""

    port: int
    path: str | None = None
    initial_delay_seconds: float = 0
    period_seconds: float = 10
    timeout_seconds: float = 1
    failure_threshold: int = 3
    success_threshold: int = 1


async def succeeds(probe: Probe, host: str = "127.0.0.1") -> bool:
    """One attempt."""
    try:
        async with asyncio.timeout(probe.timeout_seconds):
            if probe.path is None:
                _, writer = await asyncio.open_connection(host, probe.port)
                writer.close()
                return True
            async with httpx.AsyncClient(trust_env=False) as http:
                answer = await http.get(f"http://{host}:{probe.port}{probe.path}")
                return 200 <= answer.status_code < 400
    except (OSError, TimeoutError, httpx.HTTPError):
        return False
