"""The way from the public Caddy through the tailnet to home: a second Caddy, and who ends it.

It is a site of its own because Caddy's health check does not go through ``network_proxy`` (2.11):
the public site checks this one, and that check exercises the tunnel and keeps it warm.

It is a process of its own because a home that has lost its power says nothing: a request that waits
for it would wait for ever. No time-out tells it from a long answer, and no keepalive crosses SOCKS.
So when home has not answered the public Caddy's checks for a while, this process is ended, and with
it whatever it waits for (docs/decisions/0015).
"""

# ruff: noqa: E501  # neither a Caddyfile nor sh can break a line inside a text or a comment
from __future__ import annotations

from string import Template

from infra.gcp.caddyfile import ANSWERED_HEADER, CROSSING_HEALTH, CROSSING_PORT, OPTIONS
from infra.gcp.tunnel import WATCH
from infra.gcp.waking import Waker

SOCKS_PORT = 1055
SILENT_CHECKS = 8
"""Failed checks in a row until home's requests are ended: 12 s after its last sign of life, where
packets vanish. Not fewer: on a full line a check may take seconds."""

_CADDYFILE = Template("""\
{
${options}	servers {
		protocols h1 h2c
		# The public Caddy takes heads of up to 20 kB. HTTP/2 counts 32 bytes more for each header, and
		# a header of 4 bytes becomes 36: what that Caddy has taken must not be too large here.
		max_header_size 256KB
	}
}

(home) {
	flush_interval -1
	# A fixed name: what the client wrote as Host never reaches the model server.
	header_up Host ${home}
	header_up Authorization "{env.UPSTREAM_AUTHORIZATION}"
	transport http {
		versions h2c
		network_proxy url socks5://127.0.0.1:${socks_port}
		dial_timeout 5s
		response_header_timeout ${timeout_seconds}s
	}
}

http://:${port} {
	bind 127.0.0.1
	handle ${health} {
		rewrite /health
		reverse_proxy http://${home}:80 {
			import home
			handle_response {
				respond 200
			}
		}
	}
${waking}	handle {
		reverse_proxy http://${home}:80 {
			import home
			header_down ${answered} yes
			# After a start the tunnel carries nothing yet: the request is held and its dial repeated.
			lb_try_duration ${hold_seconds}s
			lb_try_interval 250ms
			# A dial through SOCKS that fails is no dial error to Caddy, so POST has to be named. Safe for
			# any error: Caddy sends a body once, and never again after the first byte of it was read.
			lb_retry_match {
				method GET POST
			}
		}
	}
	# What never reached home may be asked again; what broke off there may not.
	handle_errors {
		@undelivered `{err.message}.matches('dial|socks connect')`
		respond @undelivered 503
		respond 502
	}
}
""")

_SCRIPT = Template("""\
# The public Caddy is the container's process. It tells each failed check of home on its standard
# output; after ${checks} in a row the other one, which crosses the tailnet, is ended and begun again.
crossing() {
caddy run --adapter caddyfile --config - <<'END' &
${caddyfile}END
}
mkfifo /tmp/checks
{
	crossing
	failed=0 last=0
	while read -r line; do
		case $$line in *'"host is '*) continue ;; esac
		now=$$(date +%s)
		# They come a second apart: after a longer pause one has succeeded.
		[ $$((now - last)) -le 2 ] || failed=0
		last=$$now failed=$$((failed + 1))
		[ $$failed -eq ${checks} ] || continue
		echo '{"level":"warn","logger":"crossing","msg":"home is silent: what waits for it is ended"}' >&2
		kill -9 $$!
		wait $$! 2>/dev/null
		crossing
	done
	kill $$!
} </tmp/checks &
${tunnel}exec caddy run --adapter caddyfile --config ${public} >/tmp/checks
""")


def crossing(
    *, home: str, timeout_seconds: int, hold_seconds: int, waker: Waker | None = None
) -> str:
    """The second Caddy's configuration; ``UPSTREAM_AUTHORIZATION`` is its environment."""
    return _CADDYFILE.substitute(
        options=OPTIONS,
        home=home,
        port=CROSSING_PORT,
        health=CROSSING_HEALTH,
        answered=ANSWERED_HEADER,
        timeout_seconds=timeout_seconds,
        hold_seconds=hold_seconds,
        socks_port=SOCKS_PORT,
        waking=waker.crossing(socks_port=SOCKS_PORT) if waker else "",
    )


def script(*, public: str, crossing: str, hold_seconds: int) -> str:
    """For ``sh``: both Caddys, an end to what waits for a silent home, and the tunnel's kind.

    ``public`` is the path of its Caddyfile, ``crossing`` the other's text. The first request after
    a start is held for ``hold_seconds`` while checks fail, and is not ended before.
    """
    checks = max(SILENT_CHECKS, hold_seconds)
    return _SCRIPT.substitute(public=public, caddyfile=crossing, checks=checks, tunnel=WATCH)
