"""The twin's programs that are built from Go modules: what, which version, how long.

Each tool is a Go module of its own below ``twin/tools/`` with its ``go.sum`` checked in, so
what is built is what was reviewed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MODULES = Path(__file__).parents[1] / "tools"


@dataclass(frozen=True, kw_only=True)
class GoTool:
    """Programs built together from one module."""

    name: str
    """The folder below ``twin/tools``."""
    version: str
    """The pinned version of the first program."""
    packages: tuple[str, ...]
    """Import paths; a program is named as its last element."""
    version_command: tuple[str, ...]
    """Arguments that make the first program print its version."""
    estimate_seconds: int
    """Download and build on 2 cores with empty caches, measured once."""
    ldflags: str = ""
    cgo: bool = False
    other_versions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of programs whose version is not the first one's."""

    @property
    def programs(self) -> tuple[str, ...]:
        return tuple(package.rpartition("/")[2] for package in self.packages)

    def version_of(self, program: str) -> str:
        return self.other_versions.get(program, self.version)


GO_TOOLS = (
    GoTool(
        name="pulumi",
        version="3.259.0",
        packages=("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",),
        version_command=("version",),
        estimate_seconds=180,
        ldflags="-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=3.259.0",
    ),
    GoTool(
        name="pulumi-language-python",
        version="3.75.0",
        packages=("github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",),
        version_command=(),
        estimate_seconds=20,
    ),
    GoTool(
        name="tailnet",
        version="0.29.2",
        packages=(
            "github.com/juanfont/headscale/cmd/headscale",
            "tailscale.com/cmd/containerboot",
            "tailscale.com/cmd/derper",
            "tailscale.com/cmd/tailscale",
            "tailscale.com/cmd/tailscaled",
        ),
        other_versions=dict.fromkeys(
            ("containerboot", "derper", "tailscale", "tailscaled"), "1.102.3"
        ),
        version_command=("version",),
        estimate_seconds=220,
    ),
    GoTool(
        name="kine",
        version="0.17.5",
        packages=("github.com/k3s-io/kine",),
        version_command=("--version",),
        estimate_seconds=95,
        ldflags="-X github.com/k3s-io/kine/pkg/version.Version=v0.17.5",
        cgo=True,  # SQLite
    ),
    GoTool(
        name="kubernetes",
        version="1.36.3",
        packages=(
            "k8s.io/kubernetes/cmd/kube-apiserver",
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            "k8s.io/kubernetes/cmd/kube-scheduler",
        ),
        version_command=("--version",),
        estimate_seconds=220,
        ldflags="-X k8s.io/component-base/version.gitVersion=v1.36.3",
    ),
)


def fits(found: str, pinned: str) -> bool:
    """Whether a program's version text names the pinned major version at the pinned minor or later.

    >>> fits("v3.260.1", "3.259.0"), fits("Kubernetes v1.35.0", "1.36.3"), fits("dev", "1.0.0")
    (True, False, False)
    """
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", found)
    if match is None:
        return False
    major, minor, patch = (int(group) for group in match.groups())
    want_major, want_minor, want_patch = (int(part) for part in pinned.split("."))
    return major == want_major and (minor, patch) >= (want_minor, want_patch)
