"""Of all that a container writes, the line that says why it did not start."""

from __future__ import annotations

import pytest

from doctor.last_words import last_words

TAILSCALE = """\
boot: 2026/11/29 16:11:38 Running 'tailscale up'
2026/11/29 16:11:38 health(warnable=wantrunning-false): error: Tailscale is stopped.
2026/11/29 16:11:39 Received error: authkey already used
backend error: authkey already used
boot: 2026/11/29 16:11:39 Sending SIGTERM to tailscaled
2026/11/29 16:11:39 ipnext: work queue shutdown failed: execqueue shut down
boot: 2026/11/29 16:11:39 failed to auth tailscale: tailscale up failed: exit status 1
"""
CADDY = """\
{"level":"info","ts":1795968708.5,"msg":"using config from file"}
Error: adapting config using caddyfile: /etc/caddy/Caddyfile:180: unexpected '}'
"""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (TAILSCALE, "backend error: authkey already used"),
        (CADDY, "Error: adapting config using caddyfile: /etc/caddy/Caddyfile:180: unexpected '}'"),
        ('{"level":"error","msg":"no such file"}\n', '{"level":"error","msg":"no such file"}'),
        ('{"level":"error","logger":"http.log.access.log0","msg":"handled request"}\n', ""),
        ("boot: Startup complete\n", ""),
        ("", ""),
    ],
)
def test_the_last_line_that_tells_an_error_is_the_reason(log: str, told: str) -> None:
    assert last_words(log.splitlines()) == told


def test_a_reason_is_cut_where_nobody_reads_on() -> None:
    assert len(last_words([f"Error: {'x' * 1000}"])) == 300
