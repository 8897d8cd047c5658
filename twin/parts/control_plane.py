"""Home's Kubernetes control plane as K3s has it: kine, API server, controllers, scheduler.

K3s runs these four in one process; here they are the same programs, one process each.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import httpx2
import trustme
import yaml
from lightkube import Client, KubeConfig
from lightkube.config import client_adapter
from lightkube.config.client_adapter import ConnectionParams
from lightkube.core.exceptions import ConfigError
from lightkube.resources.core_v1 import Node

from twin.listening import listens
from twin.network import Network, node_address
from twin.parts.part import Part
from twin.paths import TwinPaths
from twin.whole_file import write_whole

TWIN = Path(__file__).parents[1]
"""What the parts that are this project's own run."""
CLUSTER_CIDR = "10.42.0.0/16"
SERVICE_CIDR = "10.43.0.0/16"
"""Both are K3s' defaults."""
ANSWER_SECONDS = 10
NO_ANSWER = (httpx2.TransportError, httpx2.HTTPStatusError, ConfigError)
"""What a call raises while the API server does not answer, or has not what it is asked for."""


def write_credentials(paths: TwinPaths, network: Network, port: int) -> None:
    """Certificates, token and kubeconfig; kept when they exist, as running parts use them."""
    folder = paths.kubernetes
    if paths.kubeconfig.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.crt")
    certificate = authority.issue_cert("127.0.0.1", "localhost", network.address("home"), "home")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    (folder / "server.crt").write_bytes(b"".join(p.bytes() for p in certificate.cert_chain_pems))
    token = secrets.token_urlsafe(32)
    (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "twin",
        "clusters": [
            {
                "name": "twin",
                "cluster": {
                    "server": f"https://127.0.0.1:{port}",
                    "certificate-authority": str(folder / "ca.crt"),
                },
            }
        ],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "twin", "context": {"cluster": "twin", "user": "admin"}}],
    }
    write_whole(paths.kubeconfig, yaml.safe_dump(kubeconfig, sort_keys=False))


def client(kubeconfig: Path) -> Client:
    """Of the API server, with the admin's token."""
    return Client(KubeConfig.from_file(kubeconfig), timeout=httpx2.Timeout(ANSWER_SECONDS))


def http(kubeconfig: Path) -> httpx2.Client:
    """The same for what lightkube has no call for: a path that is no object, an unread one."""
    config = KubeConfig.from_file(kubeconfig).get()
    assert config is not None  # noqa: S101  # it raises where there is no context
    parameters = ConnectionParams(timeout=httpx2.Timeout(ANSWER_SECONDS))
    return client_adapter.Client(config, parameters)


def answers(kubeconfig: Path) -> bool:
    """Whether the API server, seen from the normal machine, says that it is ready."""
    try:
        with http(kubeconfig) as api:
            return api.get("/readyz").status_code == 200
    except httpx2.HTTPError:
        return False


def is_ready(node: Node) -> bool:
    """As its kubelet reports."""
    conditions = (node.status and node.status.conditions) or []
    return any(one.type == "Ready" and one.status == "True" for one in conditions)


def parts(paths: TwinPaths, network: Network, port: int) -> list[Part]:
    """In the order of their start."""
    folder = paths.kubernetes
    kine = paths.sockets / "kine.sock"
    kubeconfig = f"--kubeconfig={paths.kubeconfig}"
    return [
        Part(
            name="kine",
            argv=network.at(
                *("home", "kine", f"--listen-address=unix://{kine}", "--metrics-bind-address=0"),
                f"--endpoint=sqlite://{folder / 'state.db'}?_journal=WAL&cache=shared"
                "&_busy_timeout=30000&_txlock=immediate",
            ),
            is_ready=lambda: listens(kine),
            programs=_says_version("kine"),
        ),
        Part(
            name="kube-apiserver",
            argv=network.at(
                "home",
                "kube-apiserver",
                f"--etcd-servers=unix://{kine}",
                f"--secure-port={port}",
                *_addresses(network),
                f"--cert-dir={folder}",
                f"--tls-cert-file={folder / 'server.crt'}",
                f"--tls-private-key-file={folder / 'server.key'}",
                f"--token-auth-file={folder / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                f"--service-cluster-ip-range={SERVICE_CIDR}",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                f"--service-account-key-file={folder / 'server.key'}",
                f"--service-account-signing-key-file={folder / 'server.key'}",
                "--kubelet-preferred-address-types=InternalIP",
                "--allow-privileged=true",
            ),
            is_ready=lambda: network.accepts("home", port),
            programs=_says_version("kube-apiserver"),
        ),
        *([] if network.mode == "flat" else _way_in(paths, network, port)),
        Part(
            name="kube-controller-manager",
            argv=network.at(
                *("home", "kube-controller-manager", kubeconfig, "--leader-elect=false"),
                f"--cluster-cidr={CLUSTER_CIDR}",
                f"--service-account-private-key-file={folder / 'server.key'}",
                f"--root-ca-file={folder / 'ca.crt'}",
                f"--cert-dir={folder}",
                "--use-service-account-credentials=true",
                # Its default is a system folder, which it would create.
                f"--flex-volume-plugin-dir={folder / 'flexvolume'}",
            ),
            is_ready=lambda: network.accepts("home", 10257),
            programs=_says_version("kube-controller-manager"),
        ),
        Part(
            name="kube-scheduler",
            argv=network.at(
                *("home", "kube-scheduler", kubeconfig, "--leader-elect=false"),
                f"--cert-dir={folder}",
            ),
            is_ready=lambda: network.accepts("home", 10259),
            programs=_says_version("kube-scheduler"),
        ),
    ]


def _says_version(program: str) -> dict[str, tuple[str, ...]]:
    return {program: (program, "--version")}


def _addresses(network: Network) -> tuple[str, ...]:
    if network.mode != "flat":
        return (f"--advertise-address={node_address(network)}",)
    # Nothing beyond this machine is served, and the server's own endpoint, which may not be a
    # loopback address, is not published.
    loopback = ("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1")
    return (*loopback, "--endpoint-reconciler-type=none")


def _way_in(paths: TwinPaths, network: Network, port: int) -> list[Part]:
    """The API server's port on the normal machine, which has no route into home."""
    socket = paths.sockets / "api.sock"
    return [
        Part(
            name="api-inside",
            argv=network.at("home", *_relay(f"unix:{socket}", f"127.0.0.1:{port}")),
            source=TWIN,
            is_ready=lambda: listens(socket),
        ),
        Part(
            name="api-outside",
            argv=_relay(f"127.0.0.1:{port}", f"unix:{socket}"),
            source=TWIN,
            is_ready=lambda: answers(paths.kubeconfig),
        ),
    ]


def _relay(listen: str, connect: str) -> tuple[str, ...]:
    return python("twin.relay", f"--listen={listen}", f"--connect={connect}")


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line of one of the twin's own programs."""
    return (sys.executable, "-m", module, *arguments)
