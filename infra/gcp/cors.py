"""Web pages that may ask the gateway from a browser: CORS."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

from infra.gcp.fallback import HEADER as FALLBACK_HEADER

EXPOSED = ("X-Request-Id", "Server-Timing", "Retry-After", FALLBACK_HEADER)
"""What a page may read of an answer's headers."""

_SECTION = Template("""\
	# A page of these origins may ask from a browser, and read refusals too.
	@origin {
${allowed}
	}
	header @origin {
		Access-Control-Allow-Origin {header.Origin}
		Access-Control-Expose-Headers "${exposed}"
		Vary Origin
	}
	# Again deferred, as X-Request-Id above.
	header @origin {
		>Access-Control-Allow-Origin {header.Origin}
		>Access-Control-Expose-Headers "${exposed}"
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
			# Whatever it asks for: OpenAI's SDK sends headers of its own, X-Stainless-*.
			Access-Control-Allow-Headers {header.Access-Control-Request-Headers}
			Access-Control-Max-Age 7200
		}
		respond 204
	}
""")


def cors(origins: Sequence[str]) -> str:
    """For the public site, before anything is refused; nothing where no page is allowed."""
    if not origins:
        return ""
    # Where several lines name one field, one of them has to match.
    return _SECTION.substitute(
        allowed="\n".join(f"\t\theader Origin {one}" for one in origins),
        exposed=", ".join(EXPOSED),
    )
