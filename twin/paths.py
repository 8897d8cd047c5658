"""Where the twin keeps what: one cache for all twins of a user, one state folder for each twin.

Unix socket paths are limited to 107 bytes (`man 7 unix`), so names below ``run/`` are short.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


def cache_dir() -> Path:
    """Tools, virtual environments and checkpoints; safe to delete, costly to rebuild."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("HUB_CACHE") or Path(base) / "personal-cloud-hub")


def state_dir() -> Path:
    """Everything one running twin has written; `hub clean` removes it whole."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(os.environ.get("HUB_STATE") or Path(base) / "personal-cloud-hub" / "twin")


@dataclass(frozen=True)
class TwinPaths:
    """The state folder's rooms."""

    root: Path

    @property
    def logs(self) -> Path:
        """One file per part, ``<part>.log``; pods' below ``pods/``, instances' below ``run/``."""
        return self.root / "logs"

    @property
    def parts(self) -> Path:
        """One record per started part: pid, start time, command line."""
        return self.root / "parts"

    @property
    def lock(self) -> Path:
        """Held by the command that works on the twin."""
        return self.root / "lock"

    @property
    def sockets(self) -> Path:
        """Unix sockets, which cross network namespaces."""
        return self.root / "run"

    @property
    def cloud_run_activator_socket(self) -> Path:
        """Where the front asks for an instance while none is ready."""
        return self.sockets / "run-start.sock"

    @property
    def cloud_run_caddy_socket(self) -> Path:
        """The front's own control: its configuration, and the requests that it works on."""
        return self.sockets / "run-caddy.sock"

    @property
    def cloud_run_instance(self) -> Path:
        """``HOST:PORT`` of the instance that requests are sent to; empty while none is ready."""
        return self.root / "front" / "instance"

    @property
    def cloud_run_admin_socket(self) -> Path:
        """Cloud Run's control plane, for the gcp provider and `hub status`."""
        return self.sockets / "run-admin.sock"

    @property
    def cloud_run_requests(self) -> Path:
        """The front's log: a line of JSON for each request, without headers; Caddy rotates it."""
        return self.logs / "cloud-run-requests.log"

    @property
    def google(self) -> Path:
        """Google's side: declared resources (``resources.json``) and ``secrets/<id>/<version>``."""
        return self.root / "google"

    @property
    def host_paths(self) -> Path:
        """Home's file system as far as pods mount it: hostPath ``/x`` is ``home/x``."""
        return self.root / "home"

    def of_the_node(self, path: str) -> Path:
        """Where an absolute path of home's node lies on this machine."""
        return self.host_paths / path.lstrip("/")

    @property
    def pods(self) -> Path:
        """The node's volumes and container files, a folder per pod UID."""
        return self.root / "pods"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def released_plugins(self) -> Path:
        """The providers that this twin does not emulate, chosen when it was made."""
        return self.root / "released-plugins.json"

    @property
    def kubernetes(self) -> Path:
        """The control plane's certificates, tokens and datastore."""
        return self.root / "kubernetes"

    @property
    def headscale(self) -> Path:
        return self.root / "headscale"

    @property
    def headscale_config(self) -> Path:
        return self.headscale / "config.yaml"

    @property
    def pulumi_backend(self) -> Path:
        return self.root / "pulumi"
