"""Programs that are built from Go modules: what, which version, how.

All that the twin runs but one come from one Go module, ``twin/tools/go``: what they share is
downloaded and compiled once, and links run beside compiles. Pulumi's Python language host needs
older versions of the same packages, so it has a module of its own. Each module's ``go.sum`` is
checked in: what is built is what was reviewed. Two of Pulumi's own providers and a kubelet are
built for the tests alone, which hold the emulators against them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MODULES = Path(__file__).parents[1] / "tools"

UNUSED_BY_TAILSCALE = (
    *("ace", "advertiseexitnode", "appconnectors", "aws", "bakedroots", "bird"),
    *("cachenetmap", "captiveportal", "capture", "clientupdate", "cloud", "colorable"),
    *("completion", "completion_scripts", "conn25", "dbus", "debugeventbus", "debugportmapper"),
    *("desktop_sessions", "doctor", "drive", "flashappliance", "hujsonconf"),
    *("identityfederation", "kube", "linkspeed", "linuxdnsfight", "listenrawdisco", "logtail"),
    *("netlog", "networkmanager", "oauthkey", "portlist", "portmapper", "posture", "qrcodes"),
    *("relayserver", "remoteconfig", "resolved", "routecheck", "runtimemetrics"),
    *("serviceclientprefs", "ssh", "synology", "syslog", "syspolicy", "systray", "taildrop"),
    *("tailnetlock", "tap", "tpm", "tundevstats", "useexitnode", "wakeonlan", "webbrowser"),
    "webclient",
)
"""Features of Tailscale that neither the gateway's container nor home's node uses; upstream has a
build tag to leave each of them out. `sdnotify` stays, for the Debian that a test boots."""


@dataclass(frozen=True, kw_only=True)
class GoModule:
    """A Go module whose programs are built with one command."""

    name: str
    """The folder below ``twin/tools``."""
    title: str
    tags: tuple[str, ...] = ()
    ldflags: str = ""

    @property
    def folder(self) -> Path:
        return MODULES / self.name


@dataclass(frozen=True, kw_only=True)
class Program:
    """One executable file and the names it is called by."""

    package: str
    """Its import path, or a folder of the module; the file is named as the last element."""
    module: GoModule
    names: tuple[str, ...] = ()
    """Other names: it looks at the name it was called by, as busybox does."""

    @property
    def file(self) -> str:
        return self.package.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class GoTool:
    """Programs that are used together: all from PATH, or all built."""

    name: str
    version: str
    """The pinned version of all its programs, but for ``other_versions``."""
    programs: tuple[str, ...]
    """What is called; the first one is asked for its version."""
    version_command: tuple[str, ...]
    built_from: tuple[Program, ...]
    other_versions: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def versions(self) -> dict[str, str]:
        return {name: self.other_versions.get(name, self.version) for name in self.programs}


LANGUAGE_HOST = GoModule(name="pulumi-language-python", title="Pulumi's Python language host")
ALL_OTHERS = GoModule(
    name="go",
    title="the other Go programs",
    tags=(
        "ts_include_cli",
        *(f"ts_omit_{feature}" for feature in UNUSED_BY_TAILSCALE),
        # For the engine's state in Google's storage: a shorter way inside Google's own network.
        "disable_grpc_modules",
    ),
    # A variable of a package that a program does not link is ignored.
    ldflags=" ".join(
        f"-X {variable}={value}"
        for variable, value in {
            "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "3.259.0",
            "github.com/k3s-io/kine/pkg/version.Version": "v0.17.5",
            "k8s.io/component-base/version.gitVersion": "v1.36.3",
        }.items()
    ),
)

TWINS = (ALL_OTHERS, LANGUAGE_HOST)
"""What the twin runs."""

RANDOM = GoModule(name="pulumi-resource-random", title="Pulumi's random provider")
KUBERNETES = GoModule(
    name="pulumi-resource-kubernetes",
    title="Pulumi's Kubernetes provider",
    # The newest that the Go module proxy serves, at the commit that was released as 4.25.0.
    ldflags="-X github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=4.25.0",
)
NODE = GoModule(
    name="kubelet",
    title="a real node's programs",
    ldflags="-X k8s.io/component-base/version.gitVersion=v1.36.3",
)

GO_TOOLS = (
    GoTool(
        name="pulumi",
        version="3.259.0",
        # The host starts programs through the script; the engine finds both in its own folder.
        programs=("pulumi", "pulumi-language-python", "pulumi-language-python-exec"),
        other_versions=dict.fromkeys(
            ("pulumi-language-python", "pulumi-language-python-exec"), "3.75.0"
        ),
        version_command=("version",),
        built_from=(
            Program(package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", module=ALL_OTHERS),
            Program(
                package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
                module=LANGUAGE_HOST,
            ),
        ),
    ),
    GoTool(
        name="headscale",
        version="0.29.2",
        programs=("headscale",),
        version_command=("version",),
        built_from=(
            Program(package="github.com/juanfont/headscale/cmd/headscale", module=ALL_OTHERS),
        ),
    ),
    GoTool(
        name="tailscale",
        version="1.102.3",
        programs=("tailscaled", "tailscale", "containerboot", "derper"),
        version_command=("--version",),
        built_from=(
            Program(package="tailscale.com/cmd/containerboot", module=ALL_OTHERS),
            Program(package="tailscale.com/cmd/derper", module=ALL_OTHERS),
            Program(
                package="tailscale.com/cmd/tailscaled", module=ALL_OTHERS, names=("tailscale",)
            ),
        ),
    ),
    GoTool(
        name="kine",
        version="0.17.5",
        programs=("kine",),
        version_command=("--version",),
        built_from=(Program(package="./kine", module=ALL_OTHERS),),
    ),
    GoTool(
        name="kubernetes",
        version="1.36.3",
        programs=("kube-apiserver", "kube-controller-manager", "kube-scheduler"),
        version_command=("--version",),
        built_from=(
            Program(
                package="./kube",
                module=ALL_OTHERS,
                names=("kube-apiserver", "kube-controller-manager", "kube-scheduler"),
            ),
        ),
    ),
)

PROVIDERS = tuple(
    GoTool(
        name=module.name,
        version=version,
        programs=(module.name,),
        version_command=("-version",),
        built_from=(
            Program(package=f"personal-cloud-hub/twin/tools/{module.name}", module=module),
        ),
    )
    for module, version in ((RANDOM, "4.21.4"), (KUBERNETES, "4.25.0"))
)
"""Pulumi's own, which the emulated ones are held against."""
KUBELET = GoTool(
    name="kubelet",
    version="1.36.3",
    programs=("kubelet", "network-policies", "device-plugin"),
    version_command=("--version",),
    built_from=(
        Program(package="k8s.io/kubernetes/cmd/kubelet", module=NODE),
        Program(package="./network-policies", module=NODE),
        Program(package="./device-plugin", module=NODE),
    ),
)
"""What the emulated node is held against, with Debian's containerd."""


def modules(tools: Iterable[GoTool]) -> tuple[GoModule, ...]:
    """The modules that build some tools."""
    return tuple(dict.fromkeys(p.module for tool in tools for p in tool.built_from))


def of_module(tools: Iterable[GoTool], module: GoModule) -> list[Program]:
    """The programs of some tools that one module builds."""
    return [p for tool in tools for p in tool.built_from if p.module == module]


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
