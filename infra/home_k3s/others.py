"""What somebody else has made at home where this program puts something of its own.

Pulumi's provider takes such an object over without a word, or fails in the middle of an `up` with
a conflict of fields. So the program looks before anything is made, in the preview, too.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.home_k3s.names import FIELD_MANAGER, NVIDIA_PLUGIN, SYSTEM


@dataclass(frozen=True, kw_only=True)
class Found:
    """An object that has the name of one of this program's, or does what it does."""

    kind: str
    namespace: str
    """Empty of a namespace."""
    name: str
    managers: frozenset[str]
    """Who wrote its fields, as the API server keeps it."""
    content: str
    """A chart's values, or a second device plugin's image; of others nothing."""

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
    at = f"{one.namespace}/" if one.namespace else ""
    inside = f" -n {one.namespace}" if one.namespace else ""
    whose = f"{one.kind} {at}{one.name} (by {', '.join(sorted(one.managers)) or 'nobody named'})"
    if one.kind == "DaemonSet" and (one.namespace, one.name) != (SYSTEM, NVIDIA_PLUGIN):
        return (
            f"- {whose} is a device plugin already ({one.content}), and two cannot share one GPU. "
            "Remove it, with Helm if Helm installed it; else:\n"
            f"    kubectl{inside} delete daemonset {one.name}"
        )
    if take_over:
        return None
    if one.kind == "HelmChartConfig":
        content = textwrap.indent(one.content.rstrip(), "    ")
        return (
            f"- {whose} sets values of K3s' Traefik, which this program would replace:\n"
            f"{content}\n"
            "  Write what you want to keep under home.traefikValues in the stack file; then "
            "home.takeOver: true lets this program replace it."
        )
    return (
        f"- {whose} has the name of an object of this program, which would replace what it says. "
        "Look at it, and give it another name, or let this program have it with "
        "home.takeOver: true:\n"
        f"    kubectl{inside} get {one.kind.lower()} {one.name} -o yaml"
    )
