"""Rules that every deployment must obey, whatever its settings.

Importing this module starts nothing; ``policy/__main__.py`` alone constructs the ``PolicyPack``,
because that constructor starts a server and does not return.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

SERVICE = "gcp:cloudrunv2/service:Service"
KEY = "tailscale:index/tailnetKey:TailnetKey"
WORKLOADS = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:DaemonSet")
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
GPU = "nvidia.com/gpu"
MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"
ASKS_FOR_THE_KEY = "-gateway-only@kubernetescrd"
Network = IPv4Network | IPv6Network
PRIVATE: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("127.0.0.0/8", "fc00::/7", "fe80::/10"),
    )
)
"""RFC 1918, link-local with the metadata address, the tailnet's (RFC 6598), loopback; IPv6's own
private and link-local ones."""
MAX_KEY_SECONDS = 90 * 86_400
SECRET_NAMES = ("KEY", "TOKEN", "PASSWORD", "SECRET", "AUTHORIZATION")
NOT_SECRET = ("KEYS_FILE",)

Problems = Iterator[str]
Props = dict[str, Any]


def _containers(props: Props) -> list[Props]:
    template = props["spec"]["template"]["spec"] if "spec" in props else props["template"]
    return cast("list[Props]", template["containers"])


def images_name_a_version(type_: str, props: Props) -> Problems:
    """A restart must not change what runs."""
    if type_ in WORKLOADS or type_ == SERVICE:
        for container in _containers(props):
            image = str(container["image"])
            tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
            if "@sha256:" not in image and (not tag or tag == "latest"):
                yield f"{container['name']} runs {image}; name a version or a digest"


def one_gpu_slice_a_container(type_: str, props: Props) -> Problems:
    """Two slices of one GPU are not more of it, and the device plugin refuses them."""
    if type_ in WORKLOADS:
        for container in _containers(props):
            wanted = cast("Props", container.get("resources") or {}).get("limits", {}).get(GPU)
            if wanted is not None and str(wanted) != "1":
                yield f"{container['name']} asks for {wanted} of {GPU}; ask for 1"


def gateway_costs_nothing_idle(type_: str, props: Props) -> Problems:
    """Zero instances while nobody asks, one at most."""
    if type_ == SERVICE:
        scaling = cast("Props", props["template"].get("scaling") or {})
        if scaling.get("minInstanceCount", 0) != 0:
            yield "an instance would always run; write minInstanceCount 0"
        if scaling.get("maxInstanceCount", 100) != 1:
            yield "maxInstanceCount bounds the bill and the limits; write 1"


def gateway_can_be_destroyed(type_: str, props: Props) -> Problems:
    """Deletion protection is read from state: it must be off from the beginning."""
    if type_ == SERVICE and props.get("deletionProtection", True):
        yield "`pulumi destroy` would be refused; write deletionProtection false"


def gateway_time_out(type_: str, props: Props) -> Problems:
    """No request is held longer than the hops behind it will wait."""
    if type_ == SERVICE and int(str(props["template"].get("timeout", "300s"))[:-1]) > 300:
        yield f"timeout is {props['template']['timeout']}; 300s at most"


def secrets_are_referenced_at_a_version(type_: str, props: Props) -> Problems:
    """A new value must make a new revision, and no value stands in the environment."""
    if type_ != SERVICE:
        return
    for container in _containers(props):
        for env in cast("list[Props]", container.get("envs") or []):
            reference = cast("Props", env.get("valueSource") or {}).get("secretKeyRef")
            if reference is not None and not str(reference.get("version", "latest")).isdecimal():
                yield f"{env['name']} reads version {reference.get('version', 'latest')}"
            named_so = any(word in env["name"] for word in SECRET_NAMES)
            if reference is None and named_so and env["name"] not in NOT_SECRET:
                yield f"{env['name']} holds its value in plain text; keep it in Secret Manager"


def auth_keys_are_short_lived(type_: str, props: Props) -> Problems:
    """Nodes leave by themselves, carry a tag, and the key dies in time."""
    if type_ == KEY:
        for flag in ("ephemeral", "reusable", "preauthorized"):
            if not props.get(flag):
                yield f"the gateway's auth key is not {flag}"
        if not props.get("tags"):
            yield "the auth key has no tag, so its nodes would be a person's"
        if props.get("expiry", MAX_KEY_SECONDS) > MAX_KEY_SECONDS:
            yield "the auth key lives longer than 90 days"


def only_the_gateway_is_public(type_: str, props: Props) -> Problems:
    """At home nothing listens for the Internet."""
    if type_ == "kubernetes:core/v1:Service":
        kind = props["spec"].get("type", "ClusterIP")
        if kind != "ClusterIP":
            yield f"a Service of type {kind} opens a port at home; use ClusterIP"


def every_route_at_home_asks_for_a_key(type_: str, props: Props) -> Problems:
    """What reaches home past the gateway is still nobody's."""
    if type_ == INGRESS:
        annotations = cast("Props", props["metadata"].get("annotations") or {})
        if not str(annotations.get(MIDDLEWARES, "")).split(",")[0].endswith(ASKS_FOR_THE_KEY):
            yield f"its first middleware is not one that asks for the gateway's key: {MIDDLEWARES}"


def every_route_at_home_is_named(type_: str, props: Props) -> Problems:
    """A path that takes everything opens the server's own administration, too."""
    if type_ == INGRESS:
        for rule in cast("list[Props]", props["spec"].get("rules") or []):
            http = cast("Props", rule.get("http") or {})
            for path in cast("list[Props]", http.get("paths") or []):
                if path.get("path", "/") == "/":
                    yield "it routes every path; name the ones that are meant"


def nothing_private_is_reached(type_: str, props: Props) -> Problems:
    """The model server stands in somebody's home network and must not see it."""
    if type_ != NETWORK_POLICY:
        return
    for rule in cast("list[Props]", props["spec"].get("egress") or []):
        if not rule.get("to"):
            yield "an egress rule without `to` opens everything"
        for peer in cast("list[Props]", rule.get("to") or []):
            for private in _opened(cast("Props", peer.get("ipBlock") or {})):
                yield f"egress to {private} is open; list it under `except`"


def _opened(block: Props) -> Iterator[Network]:
    """Private networks that an address block lets in."""
    if not block:
        return
    network = ip_network(block["cidr"])
    closed = [ip_network(each) for each in cast("list[str]", block.get("except") or [])]
    for private in PRIVATE:
        overlaps = _within(private, [network]) or _within(network, [private])
        if overlaps and not _within(private, closed):
            yield private


def _within(inner: Network, outer: list[Network]) -> bool:
    """Whether one of the outer networks holds the whole inner one."""
    return any(
        int(each.network_address) <= int(inner.network_address)
        and int(inner.broadcast_address) <= int(each.broadcast_address)
        for each in outer
        if each.version == inner.version
    )


RULES: dict[str, Callable[[str, Props], Problems]] = {
    "images-name-a-version": images_name_a_version,
    "one-gpu-slice-a-container": one_gpu_slice_a_container,
    "gateway-costs-nothing-idle": gateway_costs_nothing_idle,
    "gateway-can-be-destroyed": gateway_can_be_destroyed,
    "gateway-time-out": gateway_time_out,
    "secrets-are-referenced-at-a-version": secrets_are_referenced_at_a_version,
    "auth-keys-are-short-lived": auth_keys_are_short_lived,
    "only-the-gateway-is-public": only_the_gateway_is_public,
    "every-route-at-home-asks-for-a-key": every_route_at_home_asks_for_a_key,
    "every-route-at-home-is-named": every_route_at_home_is_named,
    "nothing-private-is-reached": nothing_private_is_reached,
}


def as_policy(name: str, rule: Callable[[str, Props], Problems]) -> ResourceValidationPolicy:
    """A rule in the form that `pulumi --policy-pack` runs."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for problem in rule(args.resource_type, dict(args.props)):
            report(problem, None)

    return ResourceValidationPolicy(
        name=name,
        description=inspect.getdoc(rule) or "",
        enforcement_level=EnforcementLevel.MANDATORY,
        validate=validate,
    )
