"""This project's gateway as its program writes it: on loopback, and with the whole tunnel.

On loopback its second Caddy crosses no tailnet and asks the upstream itself. With the whole tunnel
it is in another network namespace, beside Tailscale's container program; headscale, a relay, home's
tailscaled and home's Traefik are there as in the twin. Traefik has the program's middlewares and
transport from a file instead of the Kubernetes API, with limits that the load does not reach.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from bench.gateway_speed import names
from bench.gateway_speed.candidate import API_KEY, KEY_ID, UPSTREAM_PORT, Candidate
from infra.config import Cloud, Home, Limits, Tailnet
from infra.gateway_key import KEY_ID_HEADER, authorization, password_line
from infra.gcp import containers
from infra.gcp.caddyfile import CROSSING_HEALTH, CROSSING_PORT, caddyfile, keys_file
from infra.gcp.crossing import SOCKS_PORT, crossing, script
from infra.gcp.tunnel import FILE_ENV, TAILSCALE_PORT
from infra.home_k3s.entry import chart_values
from infra.tailnet.policy import ENTRY, GATEWAY_TAG
from twin.cloud_run.front import configuration
from twin.listening import listens
from twin.network import End, Network
from twin.parts import tailnet
from twin.parts.control_plane import python
from twin.parts.part import Part
from twin.paths import TwinPaths

CLOUD = Cloud(project="benchmark")
GATEWAY_KEY = "g" * 43
OUT_OF_REACH = 1_000_000
"""Of requests at once, and in a minute."""
FRONT = "front"


def on_loopback(network: Network, folder: Path, port: int) -> Candidate:
    direct = _crossing("127.0.0.1")
    socks = f"network_proxy url socks5://127.0.0.1:{SOCKS_PORT}"
    direct = instead(direct, socks, "network_proxy none")
    direct = instead(direct, "http://127.0.0.1:80", f"http://127.0.0.1:{UPSTREAM_PORT}", times=2)
    part = caddys(network, "home", folder, direct, port)
    return Candidate(names.LOOPBACK, port, (part,))


def one_caddy(network: Network, folder: Path, port: int) -> Candidate:
    """The public Caddy alone, with the upstream behind it in place of the second one."""
    site = folder / f"Caddyfile-{port}"
    text = instead(_public(), f":{CROSSING_PORT}", f":{UPSTREAM_PORT}")
    site.write_text(instead(text, f"health_uri {CROSSING_HEALTH}", "health_uri /health"))
    argv = ("caddy", "run", "--adapter", "caddyfile", "--config", str(site))
    return Candidate(names.ONE_CADDY, port, (_caddy(network, "home", folder, argv, port),))


def home(network: Network, folder: Path) -> Part:
    """Home's Traefik, on the port that the gateway may reach."""
    file = folder / "traefik-home.yaml"
    per_key = {"sourceCriterion": {"requestHeaderName": KEY_ID_HEADER}}
    rate = {"average": OUT_OF_REACH, "period": "1m", "burst": OUT_OF_REACH}
    middlewares = {
        "gateway-only": {
            "basicAuth": {"users": [password_line(GATEWAY_KEY)], "removeHeader": True}
        },
        "rate": {"rateLimit": {**rate, **per_key}},
        "in-flight": {"inFlightReq": {"amount": OUT_OF_REACH, **per_key}},
    }
    balancer = {
        "servers": [{"url": f"http://127.0.0.1:{UPSTREAM_PORT}"}],
        "serversTransport": "fresh",
    }
    router = {
        "rule": "PathPrefix(`/v1`) || PathPrefix(`/health`)",
        "service": "model",
        "middlewares": list(middlewares),
    }
    http = {
        "routers": {"model": router},
        "middlewares": middlewares,
        "services": {"model": {"loadBalancer": balancer}},
        "serversTransports": {"fresh": {"maxIdleConnsPerHost": -1}},
    }
    file.write_text(yaml.safe_dump({"http": http}))
    return Part(
        name="traefik-home",
        argv=network.at(
            *("home", "traefik", f"--entrypoints.web.address=:{ENTRY}"),
            *(f"--providers.file.filename={file}", "--global.checknewversion=false"),
            *chart_values({}, tailnet_only=False)["additionalArguments"],
        ),
        is_ready=lambda: network.accepts("home", ENTRY),
    )


def through_the_tunnel(network: Network, paths: TwinPaths, path: str, folder: Path) -> Candidate:
    """The gateway's two containers; the tailnet and home are there already."""
    port = containers.PUBLIC_PORT
    both = caddys(network, "cloud", folder, to_home(), port)
    return Candidate(
        names.TUNNEL, port, (tailscale(network, paths, path, folder), both), end="cloud"
    )


def bare_tunnel(network: Network, port: int) -> Candidate:
    """The way of the second Caddy and nothing else: a program passes bytes on through Tailscale's
    SOCKS5 proxy, and at home the upstream answers, without Traefik.
    """
    addresses = (f"127.0.0.1:{port}", f"127.0.0.1:{SOCKS_PORT}", Home().host, str(UPSTREAM_PORT))
    relay = Part(
        name="socks",
        argv=network.at("cloud", "socks", *addresses),
        is_ready=lambda: network.accepts("cloud", port),
    )
    return Candidate(names.BARE_TUNNEL, port, helpers=(relay,), end="cloud")


def emulated(network: Network, paths: TwinPaths, port: int) -> Candidate:
    """The whole tunnel behind the emulated front, as a user of the twin asks it."""
    paths.cloud_run_instance.parent.mkdir()
    paths.cloud_run_instance.write_text(f"127.0.0.1:{containers.PUBLIC_PORT}")
    file = paths.cloud_run_instance.parent / "caddy.json"
    file.write_text(json.dumps(configuration(paths, CLOUD.timeout_seconds, CLOUD.concurrency)))
    front = Part(
        name=FRONT,
        argv=network.at(
            "cloud",
            *python("twin.door", f"--listen=127.0.0.1:{port}", "--"),
            *("caddy", "run", "--config", str(file)),
        ),
        env={"HOME": str(file.parent)},
        is_ready=lambda: listens(paths.cloud_run_caddy_socket),
    )
    return Candidate(names.EMULATED, port, helpers=(front,), end="cloud")


def is_direct(folder: Path, path: str) -> bool:
    """Whether the gateway's packets reach home without the relay."""
    shown = subprocess.run(
        ["tailscale", f"--socket={_socket(folder)}", "status", "--json"],
        env={"PATH": path},
        capture_output=True,
        check=True,
    )
    [home] = json.loads(shown.stdout)["Peer"].values()
    return bool(home["CurAddr"])


def _socket(folder: Path) -> Path:
    return folder / "tailscaled.sock"


def tailscale(
    network: Network, paths: TwinPaths, path: str, folder: Path, end: End = "cloud"
) -> Part:
    """The gateway's container beside its Caddys."""
    server = f"http://{network.address('inet')}:{tailnet.HEADSCALE_PORT}"
    container = containers.tailscale(
        CLOUD.tailscale_image,
        mtu=Tailnet().mtu,
        credentials=[],
        up_arguments=[f"--login-server={server}"],
    )
    return Part(
        name=f"gateway-tailscale-{end}",
        argv=network.at(end, "containerboot"),
        env={
            **_environment(container),
            "TS_AUTHKEY": tailnet.auth_key(paths, path, GATEWAY_TAG, "--ephemeral"),
            "TS_SOCKET": str(_socket(folder)),
            "HOME": str(folder),
        },
        is_ready=lambda: network.accepts(end, TAILSCALE_PORT),
    )


def caddys(network: Network, end: End, folder: Path, crossing: str, port: int) -> Part:
    """Both Caddys, the second one with this text and at the next port."""
    site = folder / f"Caddyfile-{port}"
    site.write_text(instead(_public(), f":{CROSSING_PORT}", f":{port + 1}"))
    crossing = crossing.replace(f":{CROSSING_PORT}", f":{port + 1}")
    start = script(public=str(site), crossing=crossing, hold_seconds=CLOUD.hold_seconds)
    # A pipe of its own: a container has its own /tmp.
    checks = folder / f"checks-{port}"
    checks.unlink(missing_ok=True)
    start = start.replace("/tmp/checks", str(checks))  # noqa: S108
    return _caddy(network, end, folder, ("/bin/sh", "-c", start), port)


def _public() -> str:
    """The public Caddy's text, as the program writes it."""
    return caddyfile(body_mb=Limits().body_mb)


def _caddy(network: Network, end: End, folder: Path, argv: Sequence[str], port: int) -> Part:
    """What the container of the Caddys runs, with its environment."""
    keys, tunnel = folder / "keys.caddy", folder / f"tunnel-{port}"
    keys.write_text(keys_file({KEY_ID: API_KEY}))
    tunnel.touch()
    container = containers.caddy(CLOUD.caddy_image, "", [])
    return Part(
        name=f"gateway-caddy-{port}",
        argv=network.at(end, *argv),
        env={
            **_environment(container),
            "PORT": str(port),
            "KEYS_FILE": str(keys),
            FILE_ENV: str(tunnel),
            "UPSTREAM_AUTHORIZATION": authorization(GATEWAY_KEY),
            "HOME": str(folder),
        },
        is_ready=lambda: network.accepts(end, port),
    )


def instead(text: str, written: str, other: str, times: int = 1) -> str:
    """The program's text with one piece replaced, which it has so many times."""
    assert text.count(written) == times, f"the program's text has changed: {written}"  # noqa: S101
    return text.replace(written, other)


def to_home() -> str:
    """The second Caddy's text, as the program writes it."""
    return _crossing(Home().host)


def _crossing(home: str) -> str:
    return crossing(
        home=home, timeout_seconds=CLOUD.timeout_seconds, hold_seconds=CLOUD.hold_seconds
    )


def _environment(container: containers.Container) -> dict[str, str]:
    """What the program sets, secrets apart."""
    return {env.name: env.value for env in cast("list[Any]", container.envs)}
