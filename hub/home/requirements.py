"""What the server must be before anything is changed on it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.home.facts import Facts, version
from infra.tailnet.policy import HOME_TAG

SYSTEMS = {"ubuntu": ("22.04", "24.04"), "debian": ("12", "13")}
VLLM, DRIVER = "v0.33.0", 580
"""The image of this tag is built with CUDA 13, whose first driver it is (docs/decisions/0007). With
another tag, look at its environment again: ``CUDA_VERSION`` and ``NVIDIA_REQUIRE_CUDA``."""
DISK_GB = 60
"""The image is 25 to 28 GB unpacked, the weights 16.6 GB, and both need room for the next one."""
NAME = "home"
"""In the tailnet, as the gateway calls it (``home.host``), and in the cluster."""


@dataclass(frozen=True)
class Problem:
    """Why nothing can be done yet."""

    what: str
    remedy: str


def problems(facts: Facts) -> list[Problem]:
    """Everything that a person has to settle first."""
    return [p for p in (*_machine(facts), *gpu_problems(facts), *_others(facts)) if p]


def leaving_problems(facts: Facts) -> list[Problem]:
    """What stands in the way of restoring what was there before."""
    if "tailnet" not in facts.before or not facts.through_the_tailnet:
        return []
    return [
        Problem(
            "The server will leave the tailnet, and this connection comes through it.",
            "Use the server's address in the LAN: hub home uninstall --host USER@ADDRESS.",
        )
    ]


def joined(facts: Facts) -> bool:
    """Whether the machine is in the tailnet as home."""
    return facts.tailscale.running and HOME_TAG in facts.tailscale.tags


def _machine(facts: Facts) -> list[Problem]:
    found: list[Problem] = []
    if facts.release not in SYSTEMS.get(facts.distribution, ()):
        system = f"{facts.distribution} {facts.release}".strip() or "an unknown system"
        found.append(
            Problem(
                f"The server runs {system}; this was written for Ubuntu 22.04 and 24.04 and "
                "Debian 12 and 13.",
                "Install one of them, or follow home/ by hand.",
            )
        )
    # What the image and the weights take of it later is no reason to refuse.
    if "k3s" not in facts.before and facts.free_gb < DISK_GB:
        found.append(
            Problem(
                f"{facts.free_gb} GB are free below /var/lib, and the image of vLLM and the "
                f"weights need {DISK_GB}.",
                "Free some, or mount a larger disk at /var/lib.",
            )
        )
    return found


def gpu_problems(facts: Facts) -> list[Problem]:
    """Why the GPU cannot be used."""
    install = {
        "ubuntu": f"sudo apt install nvidia-driver-{DRIVER}-server-open, then reboot.",
        "debian": f"Install driver {DRIVER} or later from NVIDIA's repository for Debian "
        "(docs.nvidia.com/datacenter/tesla/driver-installation-guide), then reboot.",
    }.get(facts.distribution, f"Install NVIDIA's driver {DRIVER} or later, then reboot.")
    if facts.module and facts.module_file and facts.module != facts.module_file:
        what = (
            f"NVIDIA's driver was upgraded to {facts.module_file}, and the kernel still runs "
            f"{facts.module}."
        )
        return [Problem(what, "Reboot.")]
    if not facts.driver:
        if facts.module_file and facts.secure_boot:
            what = (
                "NVIDIA's driver is installed and not loaded, and secure boot is on: the kernel "
                "refuses a module whose key it does not know."
            )
            remedy = (
                "sudo mokutil --import the key that signed it (Ubuntu: "
                "/var/lib/shim-signed/mok/MOK.der), reboot and confirm it; or switch secure boot "
                "off in the firmware."
            )
            return [Problem(what, remedy)]
        if facts.module_file and facts.secure_boot is None:
            what = (
                "NVIDIA's driver is installed and not loaded. Whether secure boot is on is "
                "unknown: `mokutil --sb-state` does not tell it."
            )
            remedy = (
                "`sudo modprobe nvidia` says why. With secure boot on, which the firmware's menu "
                "shows, the kernel refuses a module whose key it does not know."
            )
            return [Problem(what, remedy)]
        return [Problem("nvidia-smi shows no GPU: NVIDIA's driver does not run.", install)]
    if version(facts.driver)[0] < DRIVER:
        what = f"NVIDIA's driver is {facts.driver}; the image of vLLM needs {DRIVER} or later."
        return [Problem(what, install)]
    return []


def _others(facts: Facts) -> list[Problem]:
    found: list[Problem] = []
    if facts.k3s and "k3s" not in facts.before:
        found.append(
            Problem(
                f"K3s {facts.k3s} is here already, and not by this command. A running cluster "
                "cannot be given encrypted Secrets or another node name.",
                "Remove it with /usr/local/bin/k3s-uninstall.sh, which deletes the cluster; or "
                "keep it and place the lines of home/etc by hand, without secrets-encryption and "
                "node-name.",
            )
        )
    tailscale = facts.tailscale
    if tailscale.running and not joined(facts) and facts.through_the_tailnet:
        found.append(
            Problem(
                "The server must join the tailnet anew, as home, and this connection comes "
                "through the tailnet: it would break.",
                "Use the server's address in the LAN: hub home install --host USER@ADDRESS.",
            )
        )
    if tailscale.changed and not joined(facts):
        found.append(
            Problem(
                "Tailscale has settings of its own here, with which it refuses to join as home: "
                f"{', '.join(tailscale.changed)}.",
                "Put them back with `sudo tailscale up --reset`; after the installation "
                "`sudo tailscale set` takes most of them again.",
            )
        )
    first = tailscale.name.partition(".")[0]
    if joined(facts) and tailscale.hostname == NAME and first != NAME:
        found.append(
            Problem(
                f"The tailnet calls this server {first}, because another device is called {NAME}.",
                f"Rename or remove that one in Tailscale's admin console, give this one the name "
                f"{NAME} there, and run this again.",
            )
        )
    return found
