"""The control server, the relay and home's node: what Tailscale runs, and what the user installs.

headscale stands where Tailscale's control plane is, with the policy that the program prints for
the user to add. Home's own node is joined here because at home its user does that once by hand.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

import yaml

from infra.tailnet.policy import HOME_TAG, policy
from infra.tailnet.renewal import SECONDS_PER_DAY
from twin.errors import TwinError
from twin.listening import listens
from twin.network import FLAT_TRAEFIK_PORT, Network
from twin.parts.part import Part
from twin.paths import TwinPaths

HEADSCALE_PORT = 8090
DERP_PORT = 8443
STUN_PORT = 3478
INACTIVE_MINUTES = 2
"""Then an ephemeral node that did not log out, as one that was killed, is removed."""


def write_configuration(paths: TwinPaths, network: Network) -> None:
    """headscale's configuration, DERP map and policy file."""
    address = network.address("inet")
    home = paths.headscale
    home.mkdir(parents=True, exist_ok=True)
    configuration: dict[str, Any] = {
        "server_url": f"http://{address}:{HEADSCALE_PORT}",
        "listen_addr": f"{address}:{HEADSCALE_PORT}",
        "metrics_listen_addr": "",
        "grpc_listen_addr": "127.0.0.1:50443",
        "noise": {"private_key_path": str(home / "noise.key")},
        "prefixes": {"v4": "100.64.0.0/10", "v6": "fd7a:115c:a1e0::/48"},
        "derp": {
            "server": {"enabled": False},
            "urls": [],
            "paths": [str(home / "derp.yaml")],
            "auto_update_enabled": False,
        },
        "disable_check_updates": True,
        "node": {"ephemeral": {"inactivity_timeout": f"{INACTIVE_MINUTES}m"}},
        "database": {"type": "sqlite", "sqlite": {"path": str(home / "db.sqlite")}},
        "policy": {"mode": "database"},
        "dns": {
            "magic_dns": True,
            "base_domain": "twin.internal",
            "override_local_dns": False,
            "nameservers": {"global": []},
        },
        # By default headscale batches changes for 0.8 s and 0.5 s, for the sake of large tailnets,
        # and a joining node waits for both. This tailnet has two nodes.
        "tuning": {"batch_change_delay": "20ms", "node_store_batch_timeout": "20ms"},
        "unix_socket": str(paths.sockets / "headscale.sock"),
        "logtail": {"enabled": False},
    }
    paths.headscale_config.write_text(yaml.safe_dump(configuration, sort_keys=False))
    (home / "derp.yaml").write_text(yaml.safe_dump(_derp_map(address)))
    # headscale runs a policy's tests at once, and refuses one for a tag that no node has yet.
    rules = {key: value for key, value in policy("grants").items() if key != "tests"}
    (home / "policy.json").write_text(json.dumps(rules))


def _derp_map(address: str) -> dict[str, object]:
    node = {
        "name": "twin",
        "regionid": 900,
        "hostname": address,
        "ipv4": address,
        "derpport": DERP_PORT,
        "stunport": STUN_PORT,
        # The relay's certificate is self-signed for an address; the traffic inside it is
        # WireGuard's and does not depend on it.
        "insecurefortests": True,
    }
    region = {"regionid": 900, "regioncode": "twin", "regionname": "twin", "nodes": [node]}
    return {"regions": {900: region}}


def _headscale(paths: TwinPaths, path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["headscale", "--config", str(paths.headscale_config), *arguments],
        env={"PATH": path, "HOME": str(paths.headscale)},
        capture_output=True,
        text=True,
        check=False,
    )


def ask_headscale(paths: TwinPaths, path: str, *arguments: str) -> str:
    """What a command of headscale prints.

    Raises:
        TwinError: it fails, with its words.
    """
    return _expect(_headscale(paths, path, *arguments))


def headscale(paths: TwinPaths, network: Network, path: str) -> Part:
    return Part(
        name="headscale",
        argv=network.at("inet", "headscale", "--config", str(paths.headscale_config), "serve"),
        is_ready=lambda: _headscale(paths, path, "nodes", "list").returncode == 0,
        programs={"headscale": ("headscale", "version")},
    )


def derper(paths: TwinPaths, network: Network) -> Part:
    address = network.address("inet")
    return Part(
        name="derper",
        argv=network.at(
            *("inet", "derper", "-hostname", address, "-certmode", "manual"),
            *("-certdir", str(paths.headscale), "-c", str(paths.headscale / "derper.key")),
            *("-a", f"{address}:{DERP_PORT}", "-stun-port", str(STUN_PORT), "-http-port", "-1"),
        ),
        is_ready=lambda: network.accepts("inet", DERP_PORT, address),
        programs={"derper": ("derper", "--version")},
    )


def home_tailscaled(paths: TwinPaths, network: Network) -> Part:
    """Kernel mode, as a home server has it; userspace where a tunnel device may not be made.

    In userspace mode a connection to the tailnet address arrives at the same port of 127.0.0.1.
    """
    may_make_device = os.access("/dev/net/tun", os.R_OK | os.W_OK)
    kernel = network.mode != "flat" and may_make_device
    tun = "tailscale0" if kernel else "userspace-networking"
    state = paths.root / "home-tailscale"
    return Part(
        name="home-tailscaled",
        argv=network.at(
            *("home", "tailscaled", f"--tun={tun}", f"--statedir={state}", "--no-logs-no-support"),
            *(f"--state={state / 'tailscaled.state'}", f"--socket={_home_socket(paths)}"),
        ),
        env={"TS_DEBUG_FIREWALL_MODE": "nftables"},
        is_ready=lambda: listens(_home_socket(paths)),
        programs={"tailscaled": ("tailscaled", "--version")},
    )


def _home_socket(paths: TwinPaths) -> Path:
    return paths.sockets / "home-ts.sock"


def join_home(paths: TwinPaths, network: Network, path: str) -> str:
    """Join home's node under its tag with a key of its own; home's tailnet address.

    Raises:
        TwinError: headscale refused the policy or the key, or the node did not come up.
    """
    ask_headscale(paths, path, "policy", "set", "-f", str(paths.headscale / "policy.json"))
    # In a file of mode 0600, because every user of the machine can read a command line.
    with NamedTemporaryFile("w") as key:
        key.write(auth_key(paths, path, HOME_TAG))
        key.flush()
        _expect(
            subprocess.run(
                [
                    *("tailscale", f"--socket={_home_socket(paths)}", "up", "--reset"),
                    f"--login-server=http://{network.address('inet')}:{HEADSCALE_PORT}",
                    f"--auth-key=file:{key.name}",
                    *("--hostname=home", "--accept-dns=false", "--netfilter-mode=off"),
                    "--timeout=60s",
                ],
                env={"PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
        )
    if network.mode == "flat":
        # Port 80 of the tailnet address is not a port of this machine there.
        _expect(
            subprocess.run(
                [
                    *("tailscale", f"--socket={_home_socket(paths)}", "serve", "--bg", "--tcp=80"),
                    f"tcp://127.0.0.1:{FLAT_TRAEFIK_PORT}",
                ],
                env={"PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
        )
    return home_address(paths, path) or ""


def auth_key(paths: TwinPaths, path: str, tag: str, *flags: str) -> str:
    """A new key, valid for an hour, that joins one node under a tag.

    Raises:
        TwinError: headscale refused it.
    """
    made = ask_headscale(
        *(paths, path, "preauthkeys", "create", "--tags", tag, *flags),
        *("--expiration", "1h", "--output", "json"),
    )
    return str(json.loads(made)["key"])


def home_address(paths: TwinPaths, path: str) -> str | None:
    """Home's tailnet address, or ``None`` while it has not joined."""
    shown = subprocess.run(
        ["tailscale", f"--socket={_home_socket(paths)}", "status", "--json"],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if shown.returncode != 0:
        return None
    status = json.loads(shown.stdout)
    if status["BackendState"] != "Running" or not status["Self"]["Online"]:
        return None
    return str(status["TailscaleIPs"][0])


def nodes(paths: TwinPaths, path: str) -> list[dict[str, Any]] | None:
    """The tailnet's nodes as the control server lists them; ``None``: it does not answer."""
    return _listed(paths, path, "nodes")


def auth_keys(paths: TwinPaths, path: str) -> list[dict[str, Any]] | None:
    """The auth keys as the control server lists them; ``None``: it does not answer."""
    return _listed(paths, path, "preauthkeys")


def tags(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that it has, or is forced to have."""
    return tuple(node.get("tags") or node.get("forced_tags") or ())


def is_ephemeral(node: Mapping[str, Any]) -> bool:
    """Whether the control server removes it by itself."""
    key: Mapping[str, Any] = node.get("pre_auth_key") or {}
    return bool(key.get("ephemeral"))


class KeyLife(NamedTuple):
    """Of an auth key."""

    expires: datetime
    days: int
    """From its beginning."""


def last_key(keys: Sequence[Mapping[str, Any]], tag: str) -> KeyLife | None:
    """Of the auth key of this tag that expires last; ``None`` if there is none."""
    lives = [
        (int(k["expiration"]["seconds"]), int(k["created_at"]["seconds"]))
        for k in keys
        if tag in (k.get("acl_tags") or [])
    ]
    if not lives:
        return None
    end, begin = max(lives)
    # One that was revoked has ended before its time, and maybe on its first day.
    days = max(1, round((end - begin) / SECONDS_PER_DAY))
    return KeyLife(datetime.fromtimestamp(end, UTC), days)


def _listed(paths: TwinPaths, path: str, what: str) -> list[dict[str, Any]] | None:
    listed = _headscale(paths, path, what, "list", "--output", "json")
    # An empty list is printed as `null`, or as nothing at all.
    return json.loads(listed.stdout or "[]") or [] if listed.returncode == 0 else None


def _expect(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode != 0:
        raise TwinError(f"`{' '.join(done.args[:4])} …` failed:\n{done.stdout}{done.stderr}")
    return done.stdout
