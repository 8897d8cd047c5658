"""What the tailnet must allow, as data: the gateway reaches home's port 80, and nothing else.

``hub policy`` prints it, before there is any stack or account. Rules name tags, never hosts: each
instance of the gateway is a node of its own.

A new tailnet allows everything to everyone, and rules only add (Tailscale's documentation, "Grants"
and "Default policy"): whoever adds these has to replace that rule, too. ``tests`` make Tailscale
refuse to save a policy in which the gateway reaches more.
"""

from __future__ import annotations

from typing import Any, Literal

GATEWAY_TAG = "tag:llm-gateway"
HOME_TAG = "tag:llm-home"
MEMBERS = "autogroup:member"
ENTRY, SSH, KUBERNETES, VLLM, KUBELET = 80, 22, 6443, 8000, 10250
WAKER = 7390
"""The port of the device that wakes home. Any free one would do."""
Form = Literal["grants", "acls"]


def policy(form: Form, waker: str | None = None) -> dict[str, Any]:
    """The rules for the tailnet's policy file, in its present form or in the older one.

    ``waker`` is the tailnet address of the device that wakes home for the gateway, which may ask it
    for that and nothing else.

    Members of the tailnet are its owner's own devices. A device that carries a tag is nobody's
    own, so that they need a rule to administer home. A tag without a named owner is its admins'.
    """
    return {
        "tagOwners": {GATEWAY_TAG: [], HOME_TAG: []},
        form: [
            _rule(form, GATEWAY_TAG, HOME_TAG, [ENTRY]),
            *([_rule(form, GATEWAY_TAG, waker, [WAKER])] if waker else []),
            _rule(form, MEMBERS, HOME_TAG, [SSH, ENTRY, KUBERNETES]),
        ],
        "tests": [
            {
                "src": GATEWAY_TAG,
                "accept": [f"{HOME_TAG}:{ENTRY}", *([f"{waker}:{WAKER}"] if waker else [])],
                "deny": [f"{HOME_TAG}:{port}" for port in (SSH, KUBERNETES, VLLM, KUBELET)],
            }
        ],
    }


def _rule(form: Form, source: str, to: str, ports: list[int]) -> dict[str, Any]:
    if form == "grants":
        return {"src": [source], "dst": [to], "ip": [f"tcp:{port}" for port in ports]}
    listed = ",".join(map(str, ports))
    return {"action": "accept", "proto": "tcp", "src": [source], "dst": [f"{to}:{listed}"]}
