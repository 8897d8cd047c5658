"""Each way to get no answer: in words, and whether asking again is safe."""

from __future__ import annotations

import json
import ssl

import httpx2
import openai

from app.client.connection import Connection
from app.client.errors import ServiceError
from app.client.proxies import HOW_TO_AVOID, proxy_of
from app.client.request import Timeouts

FAILURES = (openai.APIError, httpx2.TransportError, json.JSONDecodeError)
"""All that the SDK raises for a request that was well formed; the last where the answer is not."""
_BACK_OFF_SECONDS = 1.0
"""Before the second try; twice as long before each further one."""
_LEAST_SECONDS = 0.5
"""Who says "at once" again and again is not asked without a pause, nor for ever."""


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


class NotConnectedError(ServiceError):
    """Nothing was sent."""


class NotStartedError(ServiceError):
    """Google's answer in place of a gateway that did not start; home was not asked."""


def in_gateways_form(response: httpx2.Response) -> bool:
    """Whether the gateway, or the model server, wrote this refusal: both do in OpenAI's form."""
    try:
        return "error" in response.json()
    except (ValueError, TypeError):
        return False


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
        case httpx2.TransportError():
            return _broken(error, connection, timeouts)
        case _:
            return ServiceError(f"The answer broke off: {error}. Ask again.")


def _refused(error: openai.APIStatusError, connection: Connection) -> ServiceError:
    status = error.status_code
    after = _seconds(error.response.headers.get("retry-after"))
    match status:
        case 401:
            words = "The API key is not valid here, or it was revoked. Use another key."
        case 403:
            words = "The service does not let this network in."
        case 404:
            words = f"The service does not have this: {_told(error)} Is the address right?"
        case 407:
            proxy = proxy_of(connection.base_url) or "a proxy"
            words = f"Name and password are wanted by {proxy}. {HOW_TO_AVOID}"
        case 413:
            words = "The request is larger than the gateway takes. Send a smaller picture."
        case 429:
            words = (
                "Too many requests with this key at once, or in this minute. Wait and ask again."
            )
        case 502 | 503 | 504 if not in_gateways_form(error.response):
            words = (
                f"The gateway did not start (Google answered {status} in its place). Most often "
                "the tailnet's auth key has expired: `pulumi up --refresh` renews it. Else its log "
                "tells: gcloud run services logs read home-gateway. If this is another service, it "
                "is not available."
            )
            return NotStartedError(words, status=status, retry_after=after)
        case 500 | 502 | 503 | 504 if status != 500 or _is_our_gateways(error.response):
            words = _unavailable(error, after)
        case 400 if "context length" in _told(error) or "max_model_len" in _told(error):
            words = (
                "The conversation is longer than the model can read. Start a new one, or ask for "
                f"fewer tokens. ({_told(error)})"
            )
        case _:
            words = f"The service refused the question ({status}): {_told(error)}"
    return ServiceError(words, status=status, retry_after=after)


_OUR_CODES = {
    "home_lost",
    "home_misconfigured",
    "home_unavailable",
    "home_waking",
    "model_failed",
    "model_unavailable",
}


def _is_our_gateways(response: httpx2.Response) -> bool:
    """Whether our gateway says this of what is behind it; see docs/api.md."""
    try:
        return response.json()["error"]["code"] in _OUR_CODES
    except (ValueError, TypeError, KeyError):
        return False


def _unavailable(error: openai.APIStatusError, after: float | None) -> str:
    words = _told(error).replace(" Try again later.", "")
    if not _is_our_gateways(error.response):
        words = f"The service is not available ({error.status_code}): {words}"
    return f"{words} Try again {f'in {after:g} s' if after is not None else 'later'}."


def _broken(  # noqa: PLR0911
    cause: BaseException, connection: Connection, timeouts: Timeouts
) -> ServiceError:
    where, proxy = connection.base_url, proxy_of(connection.base_url)
    match cause:
        case httpx2.ProxyError():
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
            return ServiceError(_untrusted(refused, where))  # and will be a second later, too
        case httpx2.ConnectError():
            return NotConnectedError(
                f"{_no_connection(cause, where)} `hub status` shows every hop."
            )
        case httpx2.UnsupportedProtocol():
            return ServiceError(f"{where} is no address of a service; it begins with https://.")
        case httpx2.TimeoutException():
            return ServiceError(
                f"Nothing came for {_waited(cause, timeouts):g} s. The server may be overloaded; "
                "ask again later."
            )
        case _:
            return ServiceError(
                f"The connection to {where} broke before the answer was whole ({cause}). Ask again."
            )


def _tls(cause: BaseException) -> ssl.SSLError | None:
    chain: BaseException | None = cause
    while chain is not None and not isinstance(chain, ssl.SSLError):
        chain = chain.__cause__ or chain.__context__
    return chain


def _untrusted(refused: ssl.SSLError, where: str) -> str:
    if isinstance(refused, ssl.SSLCertVerificationError):
        return f"{where} has no certificate that this machine trusts ({refused.verify_message})."
    return f"{where} does not speak TLS ({refused.reason}). Does the address begin with http://?"


def _no_connection(cause: httpx2.ConnectError, where: str) -> str:
    if "Name or service not known" in str(cause) or "getaddrinfo" in str(cause):
        return f"No machine has the name in {where}. Is it spelt right?"
    return f"Nobody takes connections at {where} ({cause}). Is the service up?"


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
