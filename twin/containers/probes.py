"""Probes as Kubernetes and Cloud Run define them: one attempt, and how often to try."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2


@dataclass(frozen=True, kw_only=True)
class Probe:
    """An HTTP GET that must answer 200-399; without a path a TCP connection; or a command."""

    port: int = 0
    path: str | None = None
    command: tuple[str, ...] = ()
    """Must end with 0; in place of the port."""
    initial_delay_seconds: float = 0
    period_seconds: float = 10
    timeout_seconds: float = 1
    failure_threshold: int = 3
    success_threshold: int = 1


async def succeeds(
    probe: Probe,
    host: str = "127.0.0.1",
    *,
    env: Mapping[str, str] | None = None,
    enter: tuple[str, ...] = (),
) -> bool:
    """One attempt; a command has the container's ``env``, in the network ``enter`` leads to."""
    try:
        async with asyncio.timeout(probe.timeout_seconds):
            if probe.command:
                return await _ends_well((*enter, *probe.command), env)
            if probe.path is None:
                _, writer = await asyncio.open_connection(host, probe.port)
                writer.close()
                return True
            async with httpx2.AsyncClient(trust_env=False) as http:
                answer = await http.get(f"http://{host}:{probe.port}{probe.path}")
                return 200 <= answer.status_code < 400
    except (OSError, TimeoutError, httpx2.HTTPError):
        return False


async def _ends_well(command: tuple[str, ...], env: Mapping[str, str] | None) -> bool:
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
    )
    try:
        return await process.wait() == 0
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
