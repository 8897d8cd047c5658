"""What somebody else has made at home where this program puts something of its own.

Pulumi's provider takes such an object over without a word, or fails in the middle of an `up` with
a conflict of fields. So the program looks before anything is made, in the preview, too.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi

from infra.home_k3s.names import FIELD_MANAGER

PLUGIN = ("kube-system", "nvidia-device-plugin")
"""Namespace and name of this program's own."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """An object that does what one of this program's does."""

    kind: Literal["HelmChartConfig", "DaemonSet"]
    namespace: str
    name: str
    managers: frozenset[str]
    """Who wrote its fields, as the API server keeps it."""
    content: str
    """What it says: a chart's values, or an image."""

    @property
    def ours(self) -> bool:
        return FIELD_MANAGER in self.managers


class OthersError(pulumi.RunError):
    """Somebody else's objects are in the way; the message says which, and what to do."""


def refuse_others(found: Sequence[Found], *, take_over: bool) -> None:
    """Stop before anything of somebody else's is lost.

    Raises:
        OthersError: something is in the way, and ``home.takeOver`` does not cover it.
    """
    theirs = [one for one in found if not one.ours]
    blocking = [told for one in theirs if (told := _told(one, take_over=take_over))]
    if blocking:
        raise OthersError(
            "Somebody else's objects are in the way at home. Nothing has been changed.\n"
            + "\n".join(blocking)
        )


def _told(one: Found, *, take_over: bool) -> str | None:
    whose = f"{one.kind} {one.namespace}/{one.name} (by {', '.join(sorted(one.managers))})"
    content = textwrap.indent(one.content.rstrip(), "    ")
    if one.kind == "HelmChartConfig":
        return (
            None
            if take_over
            else f"- {whose} sets values of K3s' Traefik, which this program would replace:\n"
            f"{content}\n"
            "  Write what you want to keep under home.traefikValues in the stack file; then "
            "home.takeOver: true lets this program replace it."
        )
    if (one.namespace, one.name) != PLUGIN:
        return (
            f"- {whose} is a device plugin already ({one.content}), and two cannot share one GPU. "
            "Remove it, with Helm if Helm installed it; else:\n"
            f"    kubectl -n {one.namespace} delete daemonset {one.name}"
        )
    return (
        None
        if take_over
        else f"- {whose} is a device plugin ({one.content}), which this program would replace by "
        "its own, with time slicing. home.takeOver: true lets it."
    )
