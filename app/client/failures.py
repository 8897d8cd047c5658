"""Each way to get no answer: in words, and whether asking again is safe."""

from __future__ import annotations

import json
import ssl

import httpx2
import openai
import socksio

from app.client.connection import Connection
from app.client.errors import NotConnectedError, ServiceError
from app.client.proxies import HOW_TO_AVOID, Proxy, proxy_of
from app.client.request import Timeouts

TRANSPORT_FAILURES = (httpx2.TransportError, socksio.ProtocolError)
"""httpx2 lets the second through, of a SOCKS proxy that answers otherwise or not at all."""
FAILURES = (openai.APIError, *TRANSPORT_FAILURES, json.JSONDecodeError)
"""All that the SDK raises for a request that was well formed; the last where the answer is not."""
_BACK_OFF_SECONDS = 1.0
"""Before the second try; twice as long before each further one."""
_LEAST_SECONDS = 0.5
"""Before each further try, also if ``Retry-After`` is 0: each wait uses up patience."""


def wait_before_retry(error: ServiceError, attempt: int) -> float | None:
    """Seconds after which the same request may be sent again; ``None`` when it may not.

    Safe are a connection that was not made, and a refusal before any work was done (429, 503). An
    answer that began is never asked for again: the GPU would do the work twice.
    """
    if error.status is None and not isinstance(error, NotConnectedError):
        return None
    if error.status not in (None, 429, 503):
        return None
    if error.retry_after is not None:
        return max(error.retry_after, _LEAST_SECONDS)
    return _BACK_OFF_SECONDS * 2 ** (attempt - 1)


def in_gateways_form(response: httpx2.Response) -> bool:
    """Whether the gateway, or the model server, wrote this refusal: both do in OpenAI's form."""
    try:
        return "error" in response.json()
    except (ValueError, TypeError):
        return False


def code_of(response: httpx2.Response) -> str | None:
    """What the service calls this refusal, in OpenAI's form; docs/api.md has the gateway's."""
    try:
        code = response.json()["error"]["code"]
    except (ValueError, TypeError, KeyError):
        return None
    return code if isinstance(code, str) else None


def no_models(connection: Connection) -> ServiceError:
    """Something answered, and it was no list of models."""
    return ServiceError(
        f"{connection.base_url} answers, but with no list of models. Is the address right? It ends "
        "in /v1."
    )


def in_words(error: Exception, connection: Connection, timeouts: Timeouts) -> ServiceError:
    """What happened, why, and what to do next."""
    match error:
        case openai.APIStatusError():
            return _refused(error, connection)
        case openai.APIConnectionError() if error.__cause__ is not None:
            return _broken(error.__cause__, connection, timeouts)
        case httpx2.TransportError() | socksio.ProtocolError():
            return _broken(error, connection, timeouts)
        case _:
            return ServiceError(f"The answer broke off: {error}. Ask again.")


def _refused(error: openai.APIStatusError, connection: Connection) -> ServiceError:
    after = _seconds(error.response.headers.get("retry-after"))
    words = _by_a_proxy(error, proxy_of(connection.base_url)) or _by_the_service(error, after)
    code = code_of(error.response)
    return ServiceError(words, status=error.status_code, code=code, retry_after=after)


def _by_a_proxy(error: openai.APIStatusError, proxy: Proxy | None) -> str | None:
    if error.status_code == 407:
        return f"Name and password are wanted by {proxy or 'a proxy'}. {HOW_TO_AVOID}"
    # What goes through TLS or SOCKS comes from the service itself.
    passes_on = proxy and proxy.is_http and error.request.url.scheme == "http"
    if not passes_on or in_gateways_form(error.response):
        return None
    return (
        f"{error.status_code} was answered by {proxy}, or by the service behind it: "
        f"{_told(error)} {HOW_TO_AVOID}"
    )


def _by_the_service(error: openai.APIStatusError, after: float | None) -> str:
    status, code = error.status_code, code_of(error.response)
    match status:
        case 401:
            words = "The API key is not valid here, or it was revoked. Use another key."
        case 403:
            words = (
                "The service does not let this network in (403). Use another network, or ask the "
                "service's owner to allow this one."
            )
        case 404:
            words = f"The service does not have this: {_told(error)} Is the address right?"
        case 413:
            words = "The request is larger than the gateway takes. Send a smaller picture."
        case 429:
            words = (
                "Too many requests with this key at once, or in this minute. Wait and ask again."
            )
        case 502 | 503 | 504 if not in_gateways_form(error.response):
            words = _in_its_place(status)
        case 500 | 502 | 503 | 504 if status != 500 or code in _OUR_CODES:
            words = _unavailable(error, after)
        case 400 if "context length" in _told(error) or "max_model_len" in _told(error):
            words = (
                "The conversation is longer than the model can read. Start a new one, or ask for "
                f"fewer tokens. ({_told(error)})"
            )
        case _:
            words = f"The service refused the question ({status}): {_told(error)}"
    return words


def _in_its_place(status: int) -> str:
    """Of an answer that is not the gateway's, such as Google's, which tells nothing of home."""
    if status == 504:
        return (
            "The service ended the request because it took too long (504; our gateway allows 300 "
            "s, or what cloud.timeoutSeconds says). Ask for fewer tokens, or with fewer or smaller "
            "pictures."
        )
    return (
        f"The service is not available ({status}). If this is the gateway on Cloud Run, Google "
        "answered in its place because it did not start. Most often the tailnet's auth key has "
        "expired: `pulumi up --refresh` renews it. Else its log tells: gcloud run services logs "
        "read home-gateway"
    )


_OUR_CODES = {
    "home_lost",
    "home_misconfigured",
    "home_unavailable",
    "home_waking",
    "model_failed",
    "model_unavailable",
}
"""Of what our gateway says of what is behind it; see docs/api.md."""


def _unavailable(error: openai.APIStatusError, after: float | None) -> str:
    words = _told(error).replace(" Try again later.", "")
    if code_of(error.response) not in _OUR_CODES:
        words = f"The service is not available ({error.status_code}): {words}"
    return f"{words} Try again {f'in {after:g} s' if after is not None else 'later'}."


def _broken(  # noqa: PLR0911
    cause: BaseException, connection: Connection, timeouts: Timeouts
) -> ServiceError:
    where, proxy = connection.base_url, proxy_of(connection.base_url)
    way = f" It was asked through {proxy}. {HOW_TO_AVOID}" if proxy else ""
    match cause:
        case httpx2.ProxyError() | socksio.ProtocolError():
            return ServiceError(f"No way to {where} through {proxy}: {cause}. {HOW_TO_AVOID}")
        case httpx2.ConnectError() | httpx2.ConnectTimeout() if proxy and _tls(cause) is None:
            return NotConnectedError(
                f"No connection to {proxy}, so {where} was not asked ({cause}). {HOW_TO_AVOID}"
            )
        case httpx2.ConnectTimeout() | httpx2.PoolTimeout():
            return NotConnectedError(
                f"{where} did not take a connection in {timeouts.connect:g} s. Is the address "
                "right, and this machine online?"
            )
        case httpx2.ConnectError() if (refused := _tls(cause)) is not None:
            return ServiceError(_untrusted(refused, where) + way)  # and will be a second later, too
        case httpx2.ConnectError():
            return NotConnectedError(_no_connection(cause, where))
        case httpx2.UnsupportedProtocol():
            return ServiceError(f"{where} is no address of a service; it begins with https://.")
        case httpx2.TimeoutException():
            return ServiceError(
                f"Nothing came for {_waited(cause, timeouts):g} s. The server may be overloaded; "
                f"ask again later.{way}"
            )
        case _:
            return ServiceError(
                f"The connection to {where} broke before the answer was whole ({cause}). Ask "
                f"again.{way}"
            )


def _tls(cause: BaseException) -> ssl.SSLError | None:
    chain: BaseException | None = cause
    while chain is not None and not isinstance(chain, ssl.SSLError):
        chain = chain.__cause__ or chain.__context__
    return chain


def _untrusted(refused: ssl.SSLError, where: str) -> str:
    if isinstance(refused, ssl.SSLCertVerificationError):
        return (
            f"{where} has no certificate that this machine trusts ({refused.verify_message}). "
            "Check the address and this machine's clock; an authority of your own is trusted if "
            "SSL_CERT_FILE names its file."
        )
    return f"{where} does not speak TLS ({refused.reason}). Does the address begin with http://?"


def _no_connection(cause: httpx2.ConnectError, where: str) -> str:
    if "Name or service not known" in str(cause) or "getaddrinfo" in str(cause):
        return f"No machine has the name in {where}. Is it spelt right?"
    return (
        f"Nobody takes connections at {where} ({cause}). Check the address and that this machine "
        "is online; if both are right, the service is down."
    )


def _waited(cause: httpx2.TimeoutException, timeouts: Timeouts) -> float:
    allowed = cause.request.extensions.get("timeout", {}).get("read")
    return timeouts.first_byte if allowed is None else float(allowed)


def _told(error: openai.APIStatusError) -> str:
    """The service's own message, without the SDK's frame around it."""
    body = error.body
    if isinstance(body, dict) and isinstance(message := body.get("message"), str):  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return message
    return error.response.text[:300] or error.message


def _seconds(header: str | None) -> float | None:
    """``Retry-After`` in seconds; its other form, a date, is not sent by this service."""
    return float(header) if header is not None and header.isdecimal() else None
