"""All that each stack registers and puts out, as text; `make golden` writes it to ``golden/``.

A reviewer reads the difference: whatever changes in what is deployed shows there. Values behind
``secret`` are the tests' own; none is real.
"""
# protobuf's messages are not annotated; the gap is fenced into this file.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from google.protobuf.json_format import MessageToDict

from tests.support.pulumi_mocks import SECRET, Deployment
from tests.support.stacks import ROOT, deploy_stack

FOLDER = Path(__file__).with_name("golden")
DEV, TWIN = ROOT / "Pulumi.dev.yaml", ROOT / "Pulumi.twin.yaml"
GOLDEN: dict[str, tuple[Path, Mapping[str, Any]]] = {
    "dev": (DEV, {}),
    "dev-by-identity": (DEV, {"tailnet": {"joinWith": "workloadIdentity"}}),
    "dev-other-settings": (
        DEV,
        {
            "cloud": {
                "project": "my-project",
                "region": "europe-west4",
                "timeoutSeconds": 200,
                "holdSeconds": 7,
                "concurrency": 30,
                "caddyImage": "library/caddy:2.11.8",
                "tailscaleImage": "tailscale/tailscale:v1.104.0",
                "allowedOrigins": ["https://robots.example"],
                "fallback": {"url": "https://api.example/v1", "model": "large-vl"},
                "budget": {"billingAccount": "012345-6789AB-CDEF01", "usdPerMonth": 20},
            },
            "tailnet": {"controlUrl": "https://headscale.example", "keyDays": 45, "mtu": 1200},
            "home": {
                "host": "gpu-box",
                "kubeContext": "k3s-home",
                "gpuMemoryGib": 47.5,
                "gpuSlices": 4,
                "lineMbits": 50,
                "tailnetOnly": True,
                "traefikValues": {"logs": {"access": {"enabled": True}}},
                "wake": {"through": "100.101.102.103", "seconds": 45},
                "takeOver": True,
            },
            "model": {
                "profile": "3b",
                "revision": f"Qwen/Qwen2.5-VL-3B-Instruct@{'3b' * 20}",
                "image": "vllm/vllm-openai:v0.34.0",
                "evenIfTooLarge": True,
            },
            "limits": {"requestsPerMinute": 61, "burst": 11, "inFlight": 12, "bodyMb": 13},
        },
    ),
    "twin": (TWIN, {}),
}
"""Each file: a stack file, and the sections of its settings that are replaced."""
SECRETS = {"fallbackKey": "the other service's", "kubeconfig": "home's kubeconfig"}
"""What a person gives with `pulumi config set --secret`; where it is used it is a secret."""
SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The field that says which special value this is, on Pulumi's wire."""
NOT_DECLARED = {"object", "type", "name", "acceptSecrets", "acceptResources", "sourcePosition"} | {
    *("stackTrace", "supportsPartialValues", "supportsResultReporting", "packageRef", "version"),
    *("propertyDependencies", "remote", "custom"),
}
"""Of a request: what stands elsewhere, or is the SDK's and not the program's."""


def golden(name: str) -> str:
    """What a golden file has to hold."""
    stack, changes = GOLDEN[name]
    return text(deploy_stack(stack, secrets=SECRETS, **changes))


def text(deployment: Deployment) -> str:
    """Every registration by name: type, options and inputs; then the stack's outputs."""
    entries: dict[str, Any] = {}
    for one in sorted(deployment.resources, key=lambda one: one.name):
        request: dict[str, Any] = MessageToDict(one.request)
        options = {key: request[key] for key in sorted(request) if key not in NOT_DECLARED}
        if "dependencies" in options:
            options["dependencies"] = sorted(options["dependencies"])
        entries[one.name] = {
            "type": one.typ,
            **cast("dict[str, Any]", _readable(options)),
            "inputs": _readable(request.get("object", {})),
        }
    entries["outputs of the stack"] = {
        name: {"secret": _readable(value)}
        if name in deployment.secret_outputs
        else _readable(value)
        for name, value in sorted(deployment.outputs.items())
    }
    return yaml.dump(entries, Dumper=_Dumper, sort_keys=False, width=100)


def _readable(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.get(SIGNATURE) == SECRET:
            return {"secret": _readable(fields["value"])}
        return {key: _readable(one) for key, one in sorted(fields.items())}
    if isinstance(value, list):
        return [_readable(one) for one in cast("list[Any]", value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        # An URN's last part is the resource's name; a provider's has its id behind it.
        return re.sub(r"urn:pulumi:\S+::([^:\s]+)(::\S+)?", r"\1", value)
    return value


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as lines."""


def _lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    # YAML's blocks hold no tabs.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text.expandtabs(4), style)


_Dumper.add_representer(str, _lines)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in GOLDEN:
        (FOLDER / f"{name}.yaml").write_text(golden(name))
