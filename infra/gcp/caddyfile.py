"""The gateway's public Caddyfile: who may ask what, and which answers of home's are passed on.

It decides; a second Caddy on loopback crosses the tailnet (``crossing.py``). What it says itself is
in ``errors.py``.

The hops behind it speak HTTP/2 without TLS. Over HTTP/1 Caddy and Traefik cut an answer that begins
before they have seen the question's end (docs/decisions/0011).

It holds no key: API keys are imported from a file of their own.
"""

# ruff: noqa: E501  # a Caddyfile has no way to break a line inside a quoted text
from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template

from app.model.profiles import SERVED_NAME
from infra.gateway_key import KEY_ID_HEADER
from infra.gcp.cors import cors
from infra.gcp.errors import errors
from infra.gcp.fallback import Elsewhere
from infra.gcp.waking import Waker
from infra.key_names import name_of

CROSSING_PORT = 8081
"""The second Caddy's, on loopback."""
CROSSING_HEALTH = "/home"
"""A path of the second Caddy: 200 when home answers, whatever it says."""
ANSWERED_HEADER = "X-Hub-Home"
"""The second Caddy sets it on each answer that home itself has given."""
HEALTH_INTERVAL_SECONDS = 1
HEALTH_TIMEOUT_SECONDS = 5
HEALTH_FAILS = 6
"""Failed checks until home counts as off: 10 s where packets vanish, 5 s where home refuses.

WireGuard repeats a lost handshake after 5 s (its RekeyTimeout) and up to a third of a second more,
so fewer would call a home off whose first packet was lost. Caddy counts failures since the last
change of state, not in a row: what a single lost check can do is bounded by the next one, a second
later, which is sooner than a request gives up."""
BODY_SECONDS = 30
"""How long a whole request may take to arrive; 20 MB need 5.4 Mbit/s."""
OPTIONS = """\
	admin off
	auto_https off
	persist_config off
	# Cloud Run waits 10 s after SIGTERM; tailscaled needs some of them to leave the tailnet.
	grace_period 4s
	log default {
		output stderr
		format json
	}
"""
"""The global options of both Caddys."""

_CADDYFILE = Template("""\
{
${options}	# The script that ends a silent home's requests reads these lines.
	log checks {
		output stdout
		format json
		include http.handlers.reverse_proxy.health_checker.active
	}
	servers {
		timeouts {
			read_header 10s
			read_body ${body_seconds}s
			# Off: after its time-out, Caddy 2.11.7 waits for the rest of the body without any limit.
			read_body_idle -1s
		}
	}
}

:{$$PORT} {
	# The access log has no headers, because one of them is the key.
	log {
		output stderr
		format filter {
			wrap json
			request>headers delete
			resp_headers delete
		}
	}
	# Added before the request is handled (<). When a client leaves early, Caddy logs no field that is
	# added later, and 0 as the duration.
	log_append <key {key_id}
	log_append <request_id {http.request.uuid}
	log_append <arrived_ms {time.now.unix_ms}
	# RFC 9110 allows the scheme in any case and any number of spaces after it. The key must match exactly.
	@credentials vars_regexp credentials {header.Authorization} "(?i)^bearer[ ]+([0-9a-z]+)$$"
	vars @credentials key {re.credentials.1}
	map {vars.key} {key_id} {client} {
		import {$$KEYS_FILE}
		default "" ""
	}
	# The client and the model server's log get the same id for a request. The header is set at once for
	# errors that are made here, and again deferred (>): an interim answer of home's (1xx) drops it.
	header X-Request-Id {http.request.uuid}
	header >X-Request-Id {http.request.uuid}
${origins}	route {
		# Paths are compared byte for byte as they were sent: no other spelling passes.
		@unlisted `!(({method} == 'POST' && {uri}.matches('^/v1/(chat/completions|completions|responses)([?]|$$)'))
			|| ({method} in ['GET', 'HEAD'] && {uri}.matches('^/(health|v1/models|v1/models/${served})([?]|$$)')))`
		error @unlisted 404

		@stranger `{key_id} == "" && !path('/health')`
		error @stranger 401

		# The model server lists its one model and has no route for it alone.
		@model `{uri}.matches('^/v1/models/')`
		header @model Content-Type application/json
		respond @model `{"id": "${served}", "object": "model", "created": 0, "owned_by": "personal-cloud-hub"}` 200

		# With this header Caddy would switch protocols with home as the client asks, for a stranger's /health, too.
		request_header -Upgrade

		# The model server has no HEAD. Caddy leaves out the body of the answer.
		@head method HEAD
		method @head GET

		# Caddy answers `Expect` itself. Home's `100 Continue` would reach clients that never asked for it.
		request_header -Expect

		request_body {
			max_size ${body_mb}MB
		}
		reverse_proxy 127.0.0.1:${crossing_port} {
			# Health checks notice that home is off, so that the next question is refused at once.
			health_uri ${crossing_health}
			health_interval ${health_interval_seconds}s
			health_timeout ${health_timeout_seconds}s
			health_fails ${health_fails}
			# No client can have this name, so strangers who ask /health do not use up the checks' limit.
			health_headers {
				${key_id_header} _health
			}
			# While home counts as off, a request waits until after the next check, a second later.
			lb_try_duration 1250ms
			lb_try_interval 250ms
			# Nothing else is tried again: a GET whose body is broken would be sent home six times.
			lb_retry_match {
				method NONE
			}
			flush_interval -1
			header_up ${key_id_header} {client}
			header_up X-Request-Id {http.request.uuid}
			header_up -X-Forwarded-For
			header_down -Server
			header_down -X-Request-Id
			# An answer may begin before the question's end: over HTTP/1 Go's proxies cut some of those.
			transport http {
				versions h2c
			}
			# From the request's arrival here to the first byte of home's answer.
			header_down Server-Timing "home;dur={http.reverse_proxy.upstream.latency_ms}"
			header_down -Access-Control-*
			header_down -${answered}
			# Home's Traefik answers, and the model server behind it does not.
			@starting {
				status 502 503 504
				header ${answered} *
			}
			handle_response @starting {
				error "model" 503
			}
			@unreachable status 503
			handle_response @unreachable {
				error 503
			}
			@lost status 502 504
			handle_response @lost {
				error 502
			}
			# Traefik itself refuses, in plain text: home has another gateway's key.
			@closed {
				status 401
				header Content-Type text/plain*
			}
			handle_response @closed {
				error "closed" 502
			}
			# Or no Ingress, and so does a Traefik that has just started and not read it yet.
			@unrouted {
				status 404
				header Content-Type text/plain*
			}
			handle_response @unrouted {
				error "unrouted" 503
			}
			# Traefik has two limits. Only for the rate it says when there is room again.
			@rate {
				status 429
				header X-Retry-In *
			}
			handle_response @rate {
				error "rate" 429
			}
			@busy status 429
			handle_response @busy {
				error 429
			}
			# vLLM's status for a picture in a form that it does not read, which is the client's mistake.
			@unread status 501
			handle_response @unread {
				error 400
			}
			# A fault in vLLM. The client gets no detail; vLLM's log has it, by the request's id.
			@failed status 500
			handle_response @failed {
				error "failed" 500
			}
			# Every other answer of home's is passed on unchanged. The access log gets the time of its first
			# byte, and its way through the tailnet.
			handle_response {
				log_append <first_byte_ms {http.reverse_proxy.upstream.latency_ms}
				log_append <tunnel {file.{$$TUNNEL_FILE}}
				copy_response
			}
		}
	}
	handle_errors {
		# Tried in this order: each passes the request on, or answers it.
		route {
${waking}${fallback}${woken}${errors}		}
	}
}
""")


def caddyfile(
    *,
    body_mb: int,
    origins: Sequence[str] = (),
    fallback: Elsewhere | None = None,
    waker: Waker | None = None,
) -> str:
    """The whole configuration.

    Its environment is ``PORT``, ``KEYS_FILE``, ``TUNNEL_FILE`` (``tunnel.py``), and with a fallback
    ``FALLBACK_KEY``. ``origins`` are the web pages that may ask from a browser.
    """
    return _CADDYFILE.substitute(
        options=OPTIONS,
        served=SERVED_NAME,
        origins=cors(origins),
        fallback=fallback.section() if fallback else "",
        waking=waker.asking(crossing_port=CROSSING_PORT) if waker else "",
        woken=waker.answer() if waker else "",
        errors=errors(body_mb=body_mb, body_seconds=BODY_SECONDS),
        body_mb=body_mb,
        body_seconds=BODY_SECONDS,
        health_interval_seconds=HEALTH_INTERVAL_SECONDS,
        health_timeout_seconds=HEALTH_TIMEOUT_SECONDS,
        health_fails=HEALTH_FAILS,
        crossing_port=CROSSING_PORT,
        crossing_health=CROSSING_HEALTH,
        answered=ANSWERED_HEADER,
        key_id_header=KEY_ID_HEADER,
    )


def keys_file(keys: Mapping[str, str]) -> str:
    """Lines for the ``map``: what the client sends, the key's name, and the client's.

    Raises:
        ValueError: a key is empty or could be read as a pattern; then anybody might match it.
    """
    for name, key in keys.items():
        if not key.isalnum():
            raise ValueError(f"the key of {name} is not letters and digits only")
    return "".join(f'"{key}" {name} {name_of(name)}\n' for name, key in keys.items())
