"""Another OpenAI-compatible service that takes questions while home is off."""

# ruff: noqa: E501  # a Caddyfile has no way to break a line inside a quoted text
from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.model.profiles import SERVED_NAME

if TYPE_CHECKING:  # commands read the header's name, and need no Pulumi
    import pulumi

KEY_ENV = "FALLBACK_KEY"
HEADER = "X-Hub-Fallback"
"""On each answer of the other service: the model that gave it."""

_SECTION = Template("""\
			# Known before anyone asks, so nobody has read the question yet.
			@elsewhere `{err.message}.contains('no upstreams') && {method} == 'POST'`
			handle @elsewhere {
				@named vars_regexp named {http.request.body} `(?s)^(.*?"model"\\s*:\\s*)"${served}"(.*)$$`
				handle @named {
					request_body {
						set `{re.named.1}"${model}"{re.named.2}`
					}
					uri path_regexp ^/v1/ ${path}/
					reverse_proxy ${origin} {
						flush_interval -1
						header_up Host {upstream_hostport}
						header_up Authorization "Bearer {env.${key}}"
						header_up -X-Forwarded-*
						header_down -Server
						header_down -X-Request-Id
						header_down -Access-Control-*
						header_down ${header} "${model}"
						handle_response {
							log_append <first_byte_ms {http.reverse_proxy.upstream.latency_ms}
							copy_response
						}
					}
				}
				handle {
					header Content-Type application/json
					respond `{"error": {"message": "This service has one model, ${served}.", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}}` 404
				}
			}
			# Clients look a service's model up before they ask.
			@models `{err.message}.contains('no upstreams') && {uri}.matches('^/v1/models([?]|$$)')`
			handle @models {
				header Content-Type application/json
				header ${header} "${model}"
				respond `{"object": "list", "data": [{"id": "${served}", "object": "model", "created": 0, "owned_by": "fallback", "root": "${model}"}]}` 200
			}
""")


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A service and the model there."""

    url: str
    """Its base URL, as a client would write it: ``https://api.example/v1``."""
    model: str

    key: pulumi.Input[str]
    """Not part of the Caddyfile: there it is the environment's ``FALLBACK_KEY``."""

    def section(self) -> str:
        """For the Caddyfile's ``handle_errors``, before what it says otherwise."""
        url = urlsplit(self.url)
        return _SECTION.substitute(
            served=SERVED_NAME,
            model=self.model,
            origin=f"{url.scheme}://{url.netloc}",
            path=url.path.rstrip("/"),
            key=KEY_ENV,
            header=HEADER,
        )
