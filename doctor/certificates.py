"""When what a client or the owner relies on expires."""

from __future__ import annotations

import base64
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from lightkube import KubeConfig

CONNECT_SECONDS = 5


def of_address(url: str) -> datetime | None:
    """The certificate of an address; nothing where it has none, or where it cannot be verified,
    which every request says, too.
    """
    address = urlsplit(url)
    if address.scheme != "https" or address.hostname is None:
        return None
    try:
        with (
            socket.create_connection(
                (address.hostname, address.port or 443), CONNECT_SECONDS
            ) as tcp,
            ssl.create_default_context().wrap_socket(tcp, server_hostname=address.hostname) as tls,
        ):
            shown = tls.getpeercert() or {}
    except OSError:
        return None
    ends = shown.get("notAfter")
    return (
        datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)
        if isinstance(ends, str)
        else None
    )


def of_kubeconfig(kubeconfig: KubeConfig, context: str | None) -> datetime | None:
    """The owner's own client certificate; nothing for a kubeconfig with a token.

    Raises:
        lightkube.core.exceptions.ConfigError: there is no such context.
    """
    chosen = kubeconfig.get(context)
    user = chosen.user if chosen else None
    if chosen is None or user is None:
        return None
    if user.client_cert_data:
        pem = base64.b64decode(user.client_cert_data)
    elif user.client_cert:
        pem = Path(chosen.abs_file(user.client_cert)).read_bytes()
    else:
        return None
    return x509.load_pem_x509_certificate(pem).not_valid_after_utc
