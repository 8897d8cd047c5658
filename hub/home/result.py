"""What the computer that deploys needs of the server: its kubeconfig, and the stack's lines."""

from __future__ import annotations

from typing import Any, cast

import yaml

from hub.home.facts import Facts
from hub.home.requirements import NAME


def kubeconfig(k3s: str, address: str) -> str:
    """K3s' own kubeconfig, with the server's tailnet address and a name that is not ``default``.

    By address, since it never changes and works where MagicDNS is off.
    """
    config = cast("dict[str, Any]", yaml.safe_load(k3s))
    config["clusters"][0]["name"] = config["users"][0]["name"] = NAME
    config["clusters"][0]["cluster"]["server"] = f"https://{address}:6443"
    config["contexts"] = [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}]
    config["current-context"] = NAME
    return yaml.safe_dump(config, sort_keys=False)


def stack_lines(facts: Facts, control_url: str | None) -> str:
    """Below ``personal-cloud-hub:settings`` in ``Pulumi.dev.yaml``."""
    home: dict[str, Any] = {"host": NAME, "kubeContext": NAME, "tailnetOnly": True}
    settings: dict[str, Any] = {"home": home}
    if control_url:
        settings["tailnet"] = {"controlUrl": control_url}
    lines = yaml.safe_dump(settings, sort_keys=False)
    if "RTX 3090" not in facts.gpu:
        lines += (
            f"# This server has {facts.gpu}. Write under home what CUDA reports of its memory\n"
            "# (torch.cuda.mem_get_info), in GiB:  gpuMemoryGib: …\n"
        )
    return lines
