"""A question that arrives while home sleeps wakes it: another device of the tailnet sends the packet.

On that device runs ``home/waker/usr/local/lib/home-waker.py`` (docs/decisions/0025).
"""

# ruff: noqa: E501  # a Caddyfile has no way to break a line inside a quoted text
from __future__ import annotations

from dataclasses import dataclass
from string import Template

WAKE_PATH = "/wake"
"""A path of the second Caddy, which passes it on to that device."""
ANSWER_SECONDS = 3
"""How long that device may take to say that it has sent the packet. tailscaled gives up a device that
cannot be reached after 5 s."""

# Only a question with a valid key wakes home: monitors ask /health the whole night.
_ASKING = Template("""\
			@asleep `{err.status_code} == 503 && !({err.message} in ["model", "unrouted"]) && {method} == 'POST' && {key_id} != ""`
			reverse_proxy @asleep 127.0.0.1:${crossing_port} {
				method GET
				rewrite ${path}
				# The device gets no header of the client's.
				header_up -*
				transport http {
					versions h2c
				}
				# An error of this proxy would reach the client as an empty answer. So it waits while the
				# second Caddy is started anew. Errors behind that one arrive as a status, and are logged.
				lb_try_duration 2s
				@sent status 200
				handle_response @sent {
					vars woken yes
					log_append <wake sent
				}
				handle_response {
					log_append <wake {rp.status_code}
				}
			}
""")

_ANSWER = Template("""\
			@woken vars woken yes
			handle @woken {
				header Retry-After ${seconds}
				header Content-Type application/json
				respond `{"error": {"message": "The server at home is asleep and is being woken, which takes about ${seconds} s. Try again later.", "type": "server_error", "param": null, "code": "home_waking"}}` 503
			}
""")

_CROSSING = Template("""\
	handle ${path} {
		rewrite * /wake
		method POST
		reverse_proxy http://${address}:${port} {
			header_up -X-Forwarded-*
			transport http {
				network_proxy url socks5://127.0.0.1:${socks_port}
				versions 1.1
				response_header_timeout ${seconds}s
			}
		}
	}
""")


@dataclass(frozen=True, kw_only=True)
class Waker:
    """Who wakes home."""

    address: str
    """In the tailnet, of a device in home's LAN."""
    port: int
    seconds: int
    """From the packet until home answers, told as ``Retry-After``."""

    def asking(self, *, crossing_port: int) -> str:
        """For the public Caddyfile's ``handle_errors``: asks for the packet, and goes on."""
        return _ASKING.substitute(crossing_port=crossing_port, path=WAKE_PATH)

    def answer(self) -> str:
        """There, after whoever answers in home's place: what a client is told."""
        return _ANSWER.substitute(seconds=self.seconds)

    def crossing(self, *, socks_port: int) -> str:
        """For the other Caddy's site."""
        return _CROSSING.substitute(
            path=WAKE_PATH,
            address=self.address,
            port=self.port,
            socks_port=socks_port,
            seconds=ANSWER_SECONDS,
        )
