"""Probes as Kubernetes and Cloud Run define them: one attempt, and how often to try."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

LONGEST_WORDS = 10 * 1024
"""Of a command, as the kubelet reads them (``pkg/probe/exec``)."""


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


async def failure(
    probe: Probe,
    host: str = "127.0.0.1",
    *,
    env: Mapping[str, str] | None = None,
    enter: tuple[str, ...] = (),
) -> str | None:
    """Why one attempt fails, in the kubelet's words; ``None`` if it does not.

    A command has the container's ``env``, in the network that the command ``enter`` leads to.
    """
    at = f"{host}:{probe.port}"
    try:
        async with asyncio.timeout(probe.timeout_seconds):
            if probe.command:
                return await _words_if_it_fails((*enter, *probe.command), env)
            if probe.path is None:
                _, writer = await asyncio.open_connection(host, probe.port)
                writer.close()
                return None
            # Certificates are not looked at, as the kubelet does not; to load them costs 60 ms.
            async with httpx2.AsyncClient(trust_env=False, verify=False) as http:
                answer = await http.get(f"http://{at}{probe.path}")
                if 200 <= answer.status_code < 400:
                    return None
                return f"HTTP probe failed with statuscode: {answer.status_code}"
    except TimeoutError:
        if probe.command:
            return f'command timed out: "{" ".join(probe.command)}"'
        why = "context deadline exceeded"
    except (ConnectionRefusedError, httpx2.ConnectError):
        why = f"dial tcp {at}: connect: connection refused"
    except (OSError, httpx2.HTTPError) as error:
        why = str(error)
    return why if probe.path is None else f'Get "http://{at}{probe.path}": {why}'


async def _words_if_it_fails(command: tuple[str, ...], env: Mapping[str, str] | None) -> str | None:
    # A file, as what the command leaves behind would keep a pipe open.
    with tempfile.TemporaryFile() as words:
        process = await asyncio.create_subprocess_exec(
            *command, env=env, stdin=DEVNULL, stdout=words, stderr=words, start_new_session=True
        )
        try:
            if await process.wait() == 0:
                return None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await _end_of(process)
        words.seek(0)
        return words.read(LONGEST_WORDS).decode(errors="replace").strip()


async def _end_of(process: asyncio.subprocess.Process) -> None:
    """Of a process that was killed; waited for however often the task is told to end."""
    ending, told = asyncio.ensure_future(process.wait()), False
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            told = True
    if told:
        raise asyncio.CancelledError
