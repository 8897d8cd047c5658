"""The gateway's public Caddyfile: who may ask what, and what is said when home does not answer.

It decides; a second Caddy on loopback crosses the tailnet (``crossing.py``).

The hops behind it speak HTTP/2 without TLS. Over HTTP/1 Caddy and Traefik cut an answer that begins
before they have seen the question's end (docs/decisions/0011).

It holds no key: API keys are imported from a file of their own.
"""

# ruff: noqa: E501  # a Caddyfile has no way to break a line inside a quoted text
from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template

from app.model.profiles import SERVED_NAME
from infra.gcp.fallback import Elsewhere
from infra.gcp.waking import Waker
from infra.key_names import name_of

CROSSING_PORT = 8081
"""The other Caddy's, on loopback."""
CROSSING_HEALTH = "/home"
"""There: 200 when home answers, whatever it says."""
ANSWERED_HEADER = "X-Hub-Home"
"""The crossing's mark on what home itself has said."""
HEALTH_INTERVAL_SECONDS = 1
HEALTH_TIMEOUT_SECONDS = 5
HEALTH_FAILS = 6
"""Failed checks until home counts as off: 10 s where packets vanish, 5 s where home refuses.

WireGuard repeats a lost handshake after 5 s (its RekeyTimeout) and up to a third of a second more,
so fewer would call a home off whose first packet was lost. Caddy counts failures since the last
change of state, not in a row: what a single lost check can do is bounded by the next one, a second
later, which is sooner than a request gives up."""
BODY_SECONDS = 30
"""For a whole request to arrive; 20 MB need 5.4 Mbit/s."""
RETRY_BUSY_SECONDS = 1
"""A second try after it, and a third after that: what the OpenAI SDKs make by themselves."""
RETRY_STARTING_SECONDS = 10
"""A model server's start takes longer than a home's return; the client's patience has two tries."""
RETRY_AFTER_SECONDS = 5
"""Home is checked every second, so a later try finds a home that has come back."""

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
"""Of each Caddy of the container."""

_CADDYFILE = Template("""\
{
${options}	# Read by the script that ends a silent home's requests.
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
	# A line for each request: whose, what, how large, how long. No header, for one is the key.
	log {
		output stderr
		format filter {
			wrap json
			request>headers delete
			resp_headers delete
		}
	}
	# Before the request is handled (<): of one whose client leaves, Caddy says no field that comes
	# after, and 0 for its duration.
	log_append <key {key_id}
	log_append <request_id {http.request.uuid}
	log_append <arrived_ms {time.now.unix_ms}
	# RFC 9110: the scheme in any case and spaces as many as one likes; the key itself exactly, once.
	@credentials vars_regexp credentials {header.Authorization} "(?i)^bearer[ ]+([0-9a-z]+)$$"
	vars @credentials key {re.credentials.1}
	map {vars.key} {key_id} {client} {
		import {$$KEYS_FILE}
		default "" ""
	}
	# One name for a request on its whole way: told to the client, and the model server's log has it.
	# At once for what is refused here; and last (>), for what comes from home.
	header X-Request-Id {http.request.uuid}
	header >X-Request-Id {http.request.uuid}
${origins}	route {
		# By what was sent, byte for byte: no other spelling of a path is let through.
		@unlisted `!(({method} == 'POST' && {uri}.matches('^/v1/(chat/completions|completions|responses)([?]|$$)'))
			|| ({method} in ['GET', 'HEAD'] && {uri}.matches('^/(health|v1/models|v1/models/${served})([?]|$$)')))`
		error @unlisted 404

		@stranger `{key_id} == "" && !path('/health')`
		error @stranger 401

		# The model server lists its one model and has no route for it alone.
		@model `{uri}.matches('^/v1/models/')`
		header @model Content-Type application/json
		respond @model `{"id": "${served}", "object": "model", "created": 0, "owned_by": "personal-cloud-hub"}` 200

		# Or Caddy would switch to the client's protocol with home, for a stranger's /health, too.
		request_header -Upgrade

		# Nor has it HEAD; the answer's body is left out here.
		@head method HEAD
		method @head GET

		# This server answers it by itself; home's own answer to it would reach clients that never asked.
		request_header -Expect

		request_body {
			max_size ${body_mb}MB
		}
		reverse_proxy 127.0.0.1:${crossing_port} {
			# Home off is known before anyone asks, and answered at once.
			health_uri ${crossing_health}
			health_interval ${health_interval_seconds}s
			health_timeout ${health_timeout_seconds}s
			health_fails ${health_fails}
			# A name no client can have: strangers asking /health use up their own limit, not this one.
			health_headers {
				X-Hub-Key-Id _health
			}
			# A home that counts as off is waited for until after its next check, a second later.
			lb_try_duration 1250ms
			lb_try_interval 250ms
			# For nothing else: a GET whose body is broken would be sent home six times.
			lb_retry_match {
				method NONE
			}
			flush_interval -1
			header_up X-Hub-Key-Id {client}
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
			# Home answers, what stands behind its door does not.
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
			# Traefik's own words, plain text: another key than this gateway's, or no Ingress.
			@closed {
				status 401 404
				header Content-Type text/plain*
			}
			handle_response @closed {
				error "closed" 502
			}
			# Traefik's own words are plain text. Only of a rate it tells when there is room again.
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
			# vLLM's word for a client's mistake: a picture in a form that it does not read.
			@unread status 501
			handle_response @unread {
				error 400
			}
			# A fault in it: its words are for its log, which has this request by its id.
			@failed status 500
			handle_response @failed {
				error "failed" 500
			}
			# All else is home's answer as it is, once the log's line tells its first byte and its way.
			handle_response {
				log_append <first_byte_ms {http.reverse_proxy.upstream.latency_ms}
				log_append <tunnel {file.{$$TUNNEL_FILE}}
				copy_response
			}
		}
	}
	handle_errors {
		# In this order: each only looks, or is the end.
		route {
${waking}${fallback}${woken}			handle {
				# A body that cannot be read is to Caddy an error of the next hop.
				map {err.message} {status} {
					"~(?i)chunk|malformed MIME header|header line too long|invalid trailer" 400
					"~read tcp .* i/o timeout$$" 408
					default {err.status_code}
				}
				map "{status} {err.message}" {error_type} {error_code} {error_message} {
					~^400 invalid_request_error unsupported_form "The model server cannot read this form of a request. Send pictures as data: URLs in base64."
					~^401 invalid_request_error invalid_api_key "No valid API key. Send the header Authorization: Bearer KEY with a key of this service."
					~^408 invalid_request_error request_too_slow "The body of the request did not arrive within ${body_seconds} s. Send a smaller picture."
					~^404 invalid_request_error unknown_url "No such route. There are POST /v1/chat/completions, /v1/completions and /v1/responses, GET /v1/models and /health."
					~^413 invalid_request_error request_too_large "The request is larger than ${body_mb} MB. Send a smaller picture."
					"429 rate" rate_limit_error rate_limit_exceeded "Too many requests with this key in this minute. Wait and try again."
					~^429 rate_limit_error too_many_at_once "Too many requests with this key at once. Wait for an answer and try again."
					~^499 invalid_request_error request_cancelled "The client went away, or stopped to send the body of the request."
					"502 closed" server_error home_misconfigured "The server at home answers, but not this gateway: its key or its route is missing there. Its owner runs pulumi up --refresh."
					~^502 server_error home_lost "The server at home stopped answering while it worked on this request."
					"503 model" server_error model_unavailable "The server at home is on, but its model server does not answer: it may be starting, which takes minutes, or its GPU may be lent out. Try again later."
					~^503 server_error home_unavailable "The server at home does not answer: it may be off, asleep or starting. Try again later."
					"500 failed" server_error model_failed "The model server failed at this request. Its log says why, by the request's X-Request-Id."
					default server_error gateway_error "The gateway could not answer this request."
				}
				@later `{status} == '503'`
				header @later Retry-After ${retry_after}
				@starting `{err.message} == "model"`
				header @starting Retry-After ${retry_starting}
				@soon `{err.status_code} == 429`
				header @soon Retry-After ${retry_busy}
				@key `{err.status_code} == 401`
				header @key WWW-Authenticate Bearer
				header Content-Type application/json
				respond <<JSON
					{"error": {"message": "{error_message}", "type": "{error_type}", "param": null, "code": "{error_code}"}}
					JSON {status}
			}
		}
	}
}
""")


_ORIGINS = Template("""\
	# A page of these origins may ask from a browser, and read refusals too.
	@origin {
${allowed}
	}
	header @origin {
		Access-Control-Allow-Origin {header.Origin}
		Access-Control-Expose-Headers "X-Request-Id, Server-Timing, Retry-After"
		Vary Origin
	}
	# And last, as for X-Request-Id above.
	header @origin {
		>Access-Control-Allow-Origin {header.Origin}
		>Access-Control-Expose-Headers "X-Request-Id, Server-Timing, Retry-After"
		>Vary Origin
	}
	@preflight {
		method OPTIONS
${allowed}
		header Access-Control-Request-Method *
	}
	handle @preflight {
		header {
			Access-Control-Allow-Methods "GET, HEAD, POST"
			Access-Control-Allow-Headers "Authorization, Content-Type"
			Access-Control-Max-Age 7200
		}
		respond 204
	}
""")


def caddyfile(
    *,
    body_mb: int,
    origins: Sequence[str] = (),
    fallback: Elsewhere | None = None,
    waker: Waker | None = None,
) -> str:
    """The whole configuration; ``PORT`` and ``KEYS_FILE`` are its environment.

    ``origins``: of web pages that may ask from a browser.
    """
    return _CADDYFILE.substitute(
        options=OPTIONS,
        served=SERVED_NAME,
        origins=_origins(origins),
        fallback=fallback.section() if fallback else "",
        waking=waker.asking(crossing_port=CROSSING_PORT) if waker else "",
        woken=waker.answer() if waker else "",
        body_mb=body_mb,
        body_seconds=BODY_SECONDS,
        health_interval_seconds=HEALTH_INTERVAL_SECONDS,
        health_timeout_seconds=HEALTH_TIMEOUT_SECONDS,
        health_fails=HEALTH_FAILS,
        crossing_port=CROSSING_PORT,
        crossing_health=CROSSING_HEALTH,
        answered=ANSWERED_HEADER,
        retry_after=RETRY_AFTER_SECONDS,
        retry_starting=RETRY_STARTING_SECONDS,
        retry_busy=RETRY_BUSY_SECONDS,
    )


def _origins(origins: Sequence[str]) -> str:
    if not origins:
        return ""
    # Of several lines for one field, one has to match.
    return _ORIGINS.substitute(allowed="\n".join(f"\t\theader Origin {one}" for one in origins))


def keys_file(keys: Mapping[str, str]) -> str:
    """Lines for the ``map``: what the client sends, the key's name, and the client's.

    Raises:
        ValueError: a key is empty or could be read as a pattern; then anybody might match it.
    """
    for name, key in keys.items():
        if not key.isalnum():
            raise ValueError(f"the key of {name} is not letters and digits only")
    return "".join(f'"{key}" {name} {name_of(name)}\n' for name, key in keys.items())
