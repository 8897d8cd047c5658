"""The gateway's two containers as values: stock Caddy, and the official Tailscale image beside it.

Cloud Run's containers of one instance share their loopback, so Caddy reaches the tailnet through
the other's SOCKS5 port, and nothing has to be built.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from infra.gcp.crossing import SOCKS_PORT
from infra.gcp.secret import Env
from infra.gcp.size import CPU, MEMORY_MIB
from infra.gcp.tunnel import FILE_ENV, TAILSCALE_PORT

PUBLIC_PORT = 8080
CADDYFILE_FOLDER = "/etc/caddy"
KEYS_FOLDER = "/etc/caddy-keys"
TUNNEL_FILE = "/tmp/tunnel"  # noqa: S108

Container = gcp.cloudrunv2.ServiceTemplateContainerArgs


def plain(values: Mapping[str, str]) -> list[Env]:
    return [Env(name=name, value=value) for name, value in values.items()]


def caddy(image: pulumi.Input[str], script: str, secrets: list[Env]) -> Container:
    """The ingress container: the only one with a port. ``script`` starts its two Caddys."""
    return Container(
        name="caddy",
        image=image,
        commands=["/bin/sh", "-c", script],
        ports=gcp.cloudrunv2.ServiceTemplateContainerPortsArgs(container_port=PUBLIC_PORT),
        depends_ons=["tailscale"],
        envs=[
            # The limit is of each of the two Caddys.
            *plain({"KEYS_FILE": f"{KEYS_FOLDER}/keys.caddy", "GOMEMLIMIT": "100MiB"}),
            *plain({FILE_ENV: TUNNEL_FILE}),
            *secrets,
        ],
        resources=_resources(),
        volume_mounts=[
            gcp.cloudrunv2.ServiceTemplateContainerVolumeMountArgs(
                name="caddyfile", mount_path=CADDYFILE_FOLDER
            ),
            gcp.cloudrunv2.ServiceTemplateContainerVolumeMountArgs(
                name="keys", mount_path=KEYS_FOLDER
            ),
        ],
        # No startup probe of its own: Cloud Run's default one passes as soon as the port is open,
        # a declared one is tried once a second, and each start would wait for its second try.
    )


def tailscale(
    image: pulumi.Input[str], *, mtu: int, credentials: list[Env], up_arguments: list[str]
) -> Container:
    """Userspace networking with state in memory: an ephemeral node that logs out on SIGTERM.

    ``up_arguments`` are more of them for ``tailscale up``.
    """
    settings = {
        "TS_USERSPACE": "true",
        "TS_HOSTNAME": "home-gateway",
        "TS_SOCKS5_SERVER": f"127.0.0.1:{SOCKS_PORT}",
        "TS_ACCEPT_DNS": "false",
        "TS_ENABLE_HEALTH_CHECK": "true",
        "TS_ENABLE_METRICS": "true",
        "TS_LOCAL_ADDR_PORT": f"0.0.0.0:{TAILSCALE_PORT}",
        "TS_DEBUG_MTU": str(mtu),
        "TS_NO_LOGS_NO_SUPPORT": "true",
        # 50 requests of 1 MB at once took 1 GB without a limit, 134 MB with this one (measured).
        "GOMEMLIMIT": "150MiB",
    }
    if up_arguments:
        settings["TS_EXTRA_ARGS"] = " ".join(up_arguments)
    return Container(
        name="tailscale",
        image=image,
        envs=[*plain(settings), *credentials],
        resources=_resources(),
        # The tailnet, not home: home may be off while the gateway is deployed.
        startup_probe=gcp.cloudrunv2.ServiceTemplateContainerStartupProbeArgs(
            http_get=gcp.cloudrunv2.ServiceTemplateContainerStartupProbeHttpGetArgs(
                path="/healthz", port=TAILSCALE_PORT
            ),
            period_seconds=1,
            timeout_seconds=1,
            failure_threshold=60,
        ),
    )


def _resources() -> gcp.cloudrunv2.ServiceTemplateContainerResourcesArgs:
    # cpu_idle=False: tailscaled works between requests, too (docs/decisions/0014).
    return gcp.cloudrunv2.ServiceTemplateContainerResourcesArgs(
        limits={"cpu": str(CPU), "memory": f"{MEMORY_MIB}Mi"},
        cpu_idle=False,
        startup_cpu_boost=True,
    )
