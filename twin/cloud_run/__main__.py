"""Cloud Run on this machine, for one service of one region.

Promises: an instance starts with the first request, and once at deploy to prove that it can;
containers start in the order of ``dependsOn``, each after the startup probes before it; secrets
arrive as environment and files; PORT, K_SERVICE, K_REVISION and K_CONFIGURATION are set; one
instance, its concurrency kept; requests wait for it; 32 MiB per request; the service's own
time-out; answers are streamed; idle means SIGTERM, ten seconds, SIGKILL, zero processes; a
system log with the start and the end of each instance; a new revision starts beside the old one,
which finishes what it works on.
Requests are taken by a real Caddy (``front.py``), HTTP/1.1 and cleartext HTTP/2, on the socket that
``twin.door`` hands on; the Python code decides about instances only.
Leaves out: more than one instance or service, IAM of callers, TLS, CPU throttling, limits of
memory, and traffic split between revisions. Where the machine has no network namespaces a
deploy stops the old instance first.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

import uvicorn

from twin import logs
from twin.cloud_run import activator, admin
from twin.cloud_run.front import Front
from twin.cloud_run.instance import Place
from twin.cloud_run.service import Service
from twin.door import LISTENER_FD
from twin.paths import TwinPaths
from twin.server import Server
from twin.settings import IDLE_SECONDS


async def serve(registry: admin.Registry, front: Front, paths: TwinPaths) -> None:
    """Serve both sockets until SIGTERM or Caddy's end, then leave no process behind."""
    applications = (
        (activator.application(registry), paths.cloud_run_activator_socket),
        (admin.application(registry), paths.cloud_run_admin_socket),
    )
    servers = [
        Server(uvicorn.Config(app, uds=str(socket), log_level="warning"))
        for app, socket in applications
    ]
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    serving = [asyncio.create_task(server.serve()) for server in servers]
    ends = [asyncio.create_task(stopped.wait()), asyncio.create_task(front.wait())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if registry.only is not None:
        await registry.only.remove()
    await front.stop()
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving, *ends[1:])
    ends[0].cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the twin's state folder")
    parser.add_argument("--uri", required=True, help="the service's public address")
    parser.add_argument(
        "--idle-seconds", type=float, default=IDLE_SECONDS, help="then scale to zero"
    )
    parser.add_argument(
        "--container-port", type=int, help="instead of the declared one, where that is taken"
    )
    parser.add_argument(
        "--second-network",
        nargs=2,
        metavar=("PID", "ADDRESS"),
        help="a process in it and its address: a new revision starts there beside the old one",
    )
    arguments = parser.parse_args()
    logs.begin()
    places = [Place(isolated=bool(arguments.second_network))]
    if arguments.second_network:
        pid, address = arguments.second_network
        enter = ("nsenter", f"--target={pid}", "--net", "--")
        places.append(Place(enter=enter, host=address, isolated=True))
    paths = TwinPaths(arguments.state)
    paths.sockets.mkdir(parents=True, exist_ok=True)

    async def run() -> None:
        uri, idle, port = arguments.uri, arguments.idle_seconds, arguments.container_port
        front = await Front.start(paths, LISTENER_FD)
        registry = admin.Registry(paths, lambda: Service(front, uri, idle, port, places))
        await serve(registry, front, paths)

    asyncio.run(run())


if __name__ == "__main__":
    main()
