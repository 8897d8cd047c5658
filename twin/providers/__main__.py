"""The providers that stand in for released plugins, each on a port of its own of 127.0.0.1.

Attach them to the engine with PULUMI_DEBUG_PROVIDERS=kubernetes:PORT,gcp:PORT,...
"""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import grpc
from pulumi.runtime.proto import provider_pb2_grpc as provider_grpc

from twin.paths import TwinPaths
from twin.providers import gcp, random, tailscale
from twin.providers.google_store import GoogleStore
from twin.providers.kubernetes import KubernetesObject
from twin.providers.properties import Properties
from twin.providers.protocol import ResourceType, Servicer

KNOWN = ("kubernetes", "gcp", "tailscale", "random")
THREADS = 16


def types(name: str, paths: TwinPaths, config: Properties) -> Callable[[str], ResourceType]:
    """From a type token to a resource type, for one configured provider."""
    match name:
        case "kubernetes":
            every = KubernetesObject(config)
            return lambda _: every
        case "gcp":
            store, cloud_run = GoogleStore(paths.google), paths.cloud_run_admin_socket
            return lambda token: gcp.type_of(token, config, store, cloud_run)
        case "tailscale":
            return lambda token: tailscale.type_of(token, paths.headscale_config)
        case "random":
            return lambda _: random.RandomPassword()
        case _:
            raise ValueError(f"no provider stands in for {name}; known: {', '.join(KNOWN)}")


def serve(name: str, port: int, paths: TwinPaths) -> grpc.Server:
    """Start one provider."""
    # Without the option a second process could share the port, and get half of the calls.
    server = grpc.server(ThreadPoolExecutor(THREADS), options=[("grpc.so_reuseport", 0)])
    # The SDK's own version: the engine warns about any other.
    servicer = Servicer(version(f"pulumi-{name}"), lambda config: types(name, paths, config))
    provider_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the twin's state folder")
    parser.add_argument("--attach", nargs="+", required=True, metavar="NAME=PORT")
    arguments = parser.parse_args()
    pairs = [text.split("=", 1) for text in arguments.attach]
    paths = TwinPaths(arguments.state)
    servers = [serve(name, int(port), paths) for name, port in pairs]
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    stopped.wait()
    for server in servers:
        server.stop(grace=2)


if __name__ == "__main__":
    main()
