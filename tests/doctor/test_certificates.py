"""When certificates expire: of an address on loopback, and of a kubeconfig."""
# lightkube and trustme are partly annotated.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import base64
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from lightkube import KubeConfig
from lightkube.core.exceptions import ConfigError

from doctor.certificates import of_address, of_kubeconfig
from tests.support.http_server import Handler, serving

ENDS = datetime(2027, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """An authority that this process trusts."""
    authority = trustme.CA()
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return authority


def kubeconfig(user: dict[str, Any]) -> KubeConfig:
    return KubeConfig.from_dict(
        {
            "clusters": [{"name": "home", "cluster": {"server": "https://100.64.0.1:6443"}}],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "home", "context": {"cluster": "home", "user": "me"}}],
            "current-context": "home",
        }
    )


def test_an_address_tells_when_its_certificate_ends(certificates: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.issue_cert("127.0.0.1", not_after=ENDS).configure_cert(context)
    with serving(Handler, tls=context) as port:
        assert of_address(f"https://127.0.0.1:{port}/v1") == ENDS


def test_an_address_that_cannot_be_verified_or_is_not_there_tells_nothing() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving(Handler, tls=context) as port:
        assert of_address(f"https://127.0.0.1:{port}") is None
    assert of_address(f"https://127.0.0.1:{port}") is None
    assert of_address("http://127.0.0.1") is None


@pytest.mark.parametrize("where", ["in it", "in a file"])
def test_a_kubeconfig_tells_when_its_certificate_ends(where: str, tmp_path: Path) -> None:
    pem = trustme.CA().issue_cert("me", not_after=ENDS).cert_chain_pems[0].bytes()
    file = tmp_path / "me.pem"
    file.write_bytes(pem)
    inside = {"client-certificate-data": base64.b64encode(pem).decode()}
    user = inside if where == "in it" else {"client-certificate": str(file)}
    assert of_kubeconfig(kubeconfig(user), "home") == ENDS


def test_a_kubeconfig_with_a_token_has_none_and_another_context_is_an_error() -> None:
    assert of_kubeconfig(kubeconfig({"token": "secret"}), None) is None
    with pytest.raises(ConfigError, match="other"):
        of_kubeconfig(kubeconfig({"token": "secret"}), "other")
