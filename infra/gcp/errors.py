"""What the gateway itself says: each error in OpenAI's form, and when to try again."""

# ruff: noqa: E501  # a Caddyfile has no way to break a line inside a quoted text
from __future__ import annotations

from string import Template

RETRY_BUSY_SECONDS = 1
"""The OpenAI SDKs retry twice by themselves, each time after this wait."""
RETRY_STARTING_SECONDS = 10
"""Longer, because a model server takes minutes to start. The client's patience allows two tries."""
RETRY_AFTER_SECONDS = 5
"""Home is checked every second, so a later try finds a home that has come back."""

_SECTION = Template("""\
			handle {
				# Caddy takes a body that it cannot read for an error of the next hop.
				map {err.message} {status} {
					"~(?i)chunk|malformed MIME header|header line too long|invalid trailer|declared a content-length" 400
					"~^i/o timeout$$|read tcp .* i/o timeout$$" 408
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
					"502 closed" server_error home_misconfigured "The server at home does not know this gateway's key. Its owner runs pulumi up --refresh."
					~^502 server_error home_lost "The server at home stopped answering while it worked on this request."
					"503 unrouted" server_error home_misconfigured "The server at home has no route for this gateway: it may have just started. If it stays so, its owner runs pulumi up --refresh."
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
""")


def errors(*, body_mb: int, body_seconds: int) -> str:
    """The last of the public site's ``handle_errors``: it answers whatever comes to it.

    ``body_mb`` and ``body_seconds`` are the limits of a request's body, which the errors name.
    """
    return _SECTION.substitute(
        body_mb=body_mb,
        body_seconds=body_seconds,
        retry_after=RETRY_AFTER_SECONDS,
        retry_starting=RETRY_STARTING_SECONDS,
        retry_busy=RETRY_BUSY_SECONDS,
    )
