"""The hops of a request, in their order."""

from __future__ import annotations

from typing import Literal, get_args

Hop = Literal[
    "address",
    "cloud run",
    "gateway",
    "api key",
    "tailnet",
    "home port 80",
    "kubernetes",
    "ingress",
    "pod",
    "model",
    "large requests",
]
HOPS: tuple[Hop, ...] = get_args(Hop)
