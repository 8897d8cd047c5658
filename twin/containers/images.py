"""Which local program stands for an image.

Promises: the image's entrypoint, default arguments and environment, by the last part of its
repository's name. Leaves out: pulling, layers, the image's file system, its user, and its version;
the local program has its own, which `hub status` shows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.home_k3s.names import DEVICE_PLUGINS

VLLM_PYTHON = "HUB_VLLM_PYTHON"
"""In the node's environment and in the container's: vLLM's Python."""


class UnknownImageError(Exception):
    """Nothing on this machine stands for the image."""


@dataclass(frozen=True, kw_only=True)
class LocalImage:
    """What stands for an image on this machine."""

    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    folders: tuple[Path, ...] = ()
    """Of this machine, which the program needs to see in its sandbox."""


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)


def _vllm() -> LocalImage:
    """Its Python has packages of its own, where the toolchain has put them."""
    entrypoint = _python("twin.node.vllm_on_cpu")
    if (python := os.environ.get(VLLM_PYTHON)) is None:
        return LocalImage(entrypoint=entrypoint)
    folders = (Path(python).parents[1], Path(python).resolve().parents[1])
    return LocalImage(entrypoint=entrypoint, env={VLLM_PYTHON: python}, folders=folders)


IMAGES: dict[str, LocalImage] = {
    "caddy": LocalImage(
        entrypoint=("caddy",),
        cmd=("run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"),
    ),
    "tailscale": LocalImage(
        entrypoint=("containerboot",),
        # Its default, made visible so that it lies in the container's own /tmp.
        env={"TS_SOCKET": "/tmp/tailscaled.sock"},  # noqa: S108
    ),
    "vllm-openai": _vllm(),
    "k8s-device-plugin": LocalImage(
        entrypoint=_python("twin.node.device_plugin"),
        # The real plugin has this path built in; here it must be seen to be rewritten.
        env={"DEVICE_PLUGINS": DEVICE_PLUGINS},
    ),
    # The first process of a container ends at SIGTERM only where it says so, as this image's does.
    "pause": LocalImage(entrypoint=("sh", "-c", "trap exit TERM; sleep infinity & wait")),
}


def is_known(image: str) -> bool:
    """Whether something on this machine stands for ``registry/path/name:tag@digest``."""
    return short_name(image) in IMAGES


def resolve(image: str) -> LocalImage:
    """The program for ``registry/path/name:tag@digest``.

    Raises:
        UnknownImageError: says which image, and which names are known.
    """
    if not is_known(image):
        raise UnknownImageError(
            f"{image}: not found: nothing on this machine stands for it; known: {', '.join(IMAGES)}"
        )
    return IMAGES[short_name(image)]


def short_name(image: str) -> str:
    """The last part of its repository's name.

    >>> short_name("nvcr.io/nvidia/k8s-device-plugin:v0.20.0@sha256:0")
    'k8s-device-plugin'
    """
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
