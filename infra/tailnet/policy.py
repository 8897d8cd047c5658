"""What the tailnet must allow, as data: the gateway reaches home's port 80, and nothing else."""

from __future__ import annotations

from typing import Any

GATEWAY_TAG = "tag:llm-gateway"
HOME_TAG = "tag:llm-home"


def policy() -> dict[str, Any]:
    """The part to add to the tailnet's policy file.

    Rules name tags, never hosts: each instance of the gateway is a node of its own.
    """
    return {
        "tagOwners": {GATEWAY_TAG: [], HOME_TAG: []},
        "acls": [{"action": "accept", "src": [GATEWAY_TAG], "dst": [f"{HOME_TAG}:80"]}],
    }
