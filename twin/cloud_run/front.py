"""The public front: a real Caddy, which takes requests, limits them and streams the answers back.

Caddy reads the address of the ready instance from a file, at each request. While the file is empty
it asks the activator first, whose answer comes when an instance is ready; the request's body stays
with Caddy until then. So no program of the twin's own stands in the way of a request.
"""

from __future__ import annotations

import json
from typing import Any, Self

import httpx2

from twin.cloud_run.revision import DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT_SECONDS
from twin.containers.container import Container, ContainerSpec
from twin.door import LISTENER_FD
from twin.paths import TwinPaths
from twin.whole_file import write_whole

MAX_REQUEST_BYTES = 32 * 2**20
"""HTTP/1: Cloud Run's quota."""
READ_HEADER_SECONDS = 30
"""Google documents none."""
PENDING_SECONDS = 10
"""How long a request waits for a place among the concurrent ones, before it is refused: Cloud
Run's minimum, https://docs.cloud.google.com/run/docs/about-instance-autoscaling."""
BROKEN_BODY = "(?i)chunk|malformed MIME header|header line too long|invalid trailer"
"""To Caddy, a body that cannot be read is an error of the next hop: 502."""
ERRORS = {
    413: (413, "Request Entity Too Large\n"),
    502: (503, "upstream connect error or disconnect\n"),
    503: (429, "Rate exceeded.\n"),  # Caddy's "no upstreams available": the concurrency is used
    504: (504, "upstream request timeout\n"),
}
"""Caddy's status, and what Cloud Run answers."""


class Front:
    """A running Caddy."""

    def __init__(self, paths: TwinPaths, caddy: Container) -> None:
        self.paths = paths
        self._caddy = caddy
        self._limits = (DEFAULT_TIMEOUT_SECONDS, DEFAULT_CONCURRENCY)
        transport = httpx2.AsyncHTTPTransport(uds=str(paths.cloud_run_caddy_socket))
        self._admin = httpx2.AsyncClient(transport=transport, base_url="http://caddy")

    @classmethod
    async def start(cls, paths: TwinPaths, listener: int) -> Self:
        """Start Caddy without an instance to send requests to.

        ``listener`` is the file descriptor of the socket on which it takes them.
        """
        folder = paths.cloud_run_instance.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        paths.cloud_run_instance.write_text("")
        config = folder / "caddy.json"
        config.write_text(
            json.dumps(configuration(paths, DEFAULT_TIMEOUT_SECONDS, DEFAULT_CONCURRENCY))
        )
        paths.cloud_run_caddy_socket.unlink(missing_ok=True)
        spec = ContainerSpec(
            name="front",
            image="caddy",
            args=("run", "--config", str(config)),
            env={"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            log=paths.logs / "cloud-run-front.log",
        )
        return cls(paths, await Container.start(spec, stdin=listener))

    async def stop(self) -> None:
        await self._admin.aclose()
        await self._caddy.stop(grace_seconds=0)

    async def wait(self) -> None:
        """Return when Caddy has ended."""
        await self._caddy.wait()

    def send_to(self, address: str) -> None:
        """Send new requests to ``HOST:PORT``; with ``""``, to the activator first."""
        write_whole(self.paths.cloud_run_instance, address)

    async def limit(self, timeout_seconds: int, concurrency: int) -> None:
        """Take a revision's limits; requests that are under way keep theirs."""
        if self._limits != (timeout_seconds, concurrency):
            config = configuration(self.paths, timeout_seconds, concurrency)
            (await self._admin.post("/load", json=config)).raise_for_status()
            self._limits = (timeout_seconds, concurrency)

    async def requests_at(self, address: str) -> int:
        """How many requests an instance works on."""
        upstreams = (await self._admin.get("/reverse_proxy/upstreams")).raise_for_status().json()
        return sum(one["num_requests"] for one in upstreams if one["address"] == address)

    def last_answer_at(self) -> float:
        """Seconds since 1970 at the last answer's end; 0 before the first."""
        log = self.paths.cloud_run_requests
        return log.stat().st_mtime if log.exists() else 0


def configuration(paths: TwinPaths, timeout_seconds: int, concurrency: int) -> dict[str, Any]:
    """Caddy's configuration, in its own JSON: a Caddyfile adds a port to an address from a file."""
    instance = f"{{file.{paths.cloud_run_instance}}}"
    activate = {
        "handler": "reverse_proxy",
        "rewrite": {"method": "GET", "uri": "/ready"},
        "upstreams": [{"dial": f"unix/{paths.cloud_run_activator_socket}"}],
        "handle_response": [
            {"match": {"status_code": [2]}, "routes": [{"handle": [{"handler": "vars"}]}]}
        ],
    }
    forward = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": instance, "max_requests": concurrency}],
        "load_balancing": {
            "try_duration": f"{PENDING_SECONDS}s",
            "try_interval": "20ms",
            # What an instance has begun is not tried again; no method has this name.
            "retry_match": [{"method": ["NONE"]}],
        },
        "headers": {
            "request": {
                "set": {"X-Forwarded-Proto": ["https"]},
                "delete": ["Via", "X-Forwarded-Host"],
            },
            "response": {"deferred": True, "delete": ["Via"]},
        },
        "flush_interval": -1,
        "transport": {
            "protocol": "http",
            "compression": False,
            "response_header_timeout": f"{timeout_seconds}s",
            "read_timeout": f"{timeout_seconds}s",
        },
    }
    # An answer may come before the request's end. What is left of more than 256 kB, which Go's
    # server would still read, it then takes for the next request.
    close_after_refusal = {
        "match": [
            {"header_regexp": {"Content-Length": {"pattern": "^[0-9]{6,}$"}}},
            {"header": {"Transfer-Encoding": ["*"]}},
        ],
        "handle": [
            {
                "handler": "headers",
                "response": {
                    "require": {"status_code": [4, 5]},
                    "set": {"Connection": ["close"]},
                    "deferred": True,
                },
            }
        ],
    }
    server = {
        "listen": [f"fd/{LISTENER_FD}"],
        "protocols": ["h1", "h2c"],
        "read_header_timeout": f"{READ_HEADER_SECONDS}s",
        "read_timeout": f"{timeout_seconds}s",
        # A second more, in which the answer 504 can be written.
        "write_timeout": f"{timeout_seconds + 1}s",
        # Google's front adds to what a client says of those before it.
        "trusted_proxies": {"source": "static", "ranges": ["127.0.0.0/8"]},
        "automatic_https": {"disable": True},
        "logs": {"default_logger_name": "requests"},
        "routes": [
            {"handle": [{"handler": "request_body", "max_size": MAX_REQUEST_BYTES}]},
            {"match": [{"vars": {instance: [""]}}], "handle": [activate]},
            close_after_refusal,
            {"handle": [forward]},
        ],
        "errors": {
            "routes": [
                {
                    "match": [{"vars_regexp": {"{http.error.message}": {"pattern": BROKEN_BODY}}}],
                    "handle": [_answer(400, "Bad Request\n")],
                    "terminal": True,
                },
                *(
                    {
                        "match": [{"vars": {"{http.error.status_code}": [str(status)]}}],
                        "handle": [_answer(*answer)],
                    }
                    for status, answer in ERRORS.items()
                ),
            ]
        },
    }
    return {
        "admin": {
            "listen": f"unix/{paths.cloud_run_caddy_socket}|0600",
            "config": {"persist": False},
        },
        "logging": {
            "logs": {
                "default": {"exclude": ["http.log.access"]},
                "requests": {
                    "include": ["http.log.access.requests"],
                    "encoder": {
                        "format": "filter",
                        "wrap": {"format": "json"},
                        # Keys stand in headers, and no other header is needed.
                        "fields": {
                            "request>headers": {"filter": "delete"},
                            "resp_headers": {"filter": "delete"},
                        },
                    },
                    "writer": {
                        "output": "file",
                        "filename": str(paths.cloud_run_requests),
                        "roll_size_mb": 10,
                        "roll_keep": 2,
                    },
                },
            }
        },
        "apps": {"http": {"servers": {"front": server}}},
    }


def _answer(status: int, body: str) -> dict[str, Any]:
    """The front's own, with the rest of the request unread."""
    return {"handler": "static_response", "status_code": status, "body": body, "close": True}
