"""The ways in which the second Caddy can ask home: as the program has it, and over HTTP/1."""

from __future__ import annotations

from collections.abc import Mapping

from bench.gateway_speed.ours import instead, to_home

HTTP2 = "HTTP/2, as deployed"
EXPECT = "HTTP/1, Expect: 100-continue"
HTTP1 = "HTTP/1"


def ways() -> Mapping[str, str]:
    """A configuration of the second Caddy for each way."""
    deployed = to_home()
    return {
        HTTP2: deployed,
        EXPECT: instead(
            instead(deployed, "versions h2c", "versions 1.1\n\t\texpect_continue_timeout 5s"),
            "header_up Host",
            "header_up Expect 100-continue\n\theader_up Host",
        ),
        HTTP1: instead(deployed, "versions h2c", "versions 1.1"),
    }
