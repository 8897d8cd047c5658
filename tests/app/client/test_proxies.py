"""Proxies that the environment names: they are used, or their variable is named."""

from __future__ import annotations

import gc
import socket
from collections.abc import Generator
from contextlib import contextmanager
from socketserver import BaseRequestHandler
from typing import cast

import pytest

from app.client import ClientError, Connection, ServiceError, Timeouts
from tests.app.client.fake_service import FakeService
from tests.app.client.test_chat import Ask, ask_in_a_loop, ask_in_a_thread
from tests.support.http_server import Handler, serving
from tests.support.ports import free_port
from tests.support.socks import socks_tunnel

QUICK = Timeouts(connect=2, first_byte=2, between_bytes=2, patience=0)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(params=[ask_in_a_thread, ask_in_a_loop])
def ask(request: pytest.FixtureRequest) -> Ask:
    return request.param


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_the_service_is_asked_through_tailscales_proxy(
    service: FakeService, ask: Ask, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    home = int(service.url.rpartition(":")[2].partition("/")[0])
    with socks_tunnel(home) as tunnel:
        tunnel.is_up.set()
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://localhost:{tunnel.port}/")
        assert ask(Connection("http://home.example/v1", "sk-test"), QUICK, []) == "Hi there"
        assert tunnel.dials >= 1


def test_a_host_of_no_proxy_is_asked_directly(
    service: FakeService, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "example.com, 127.0.0.1")
    assert ask(service.connection, QUICK, []) == "Hi there"


def test_a_proxy_is_not_blamed_for_a_host_that_is_asked_directly(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    nobody = Connection(f"http://127.0.0.1:{free_port()}/v1", "sk-test")
    with pytest.raises(ServiceError, match=r"Nobody takes connections at http://127\.0\.0\.1"):
        ask(nobody, QUICK, [])


@pytest.mark.parametrize("variable", ["ALL_PROXY", "http_proxy"])
@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_is_not_there_is_named_with_its_variable(
    service: FakeService, ask: Ask, monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str
) -> None:
    address = f"{scheme}://user:secret@127.0.0.1:{free_port()}"
    monkeypatch.setenv(variable, address)
    with pytest.raises(ServiceError) as error:
        ask(service.connection, QUICK, [])
    told = str(error.value)
    shown = address.replace("user:secret@", "")
    assert told.startswith(f"No connection to the proxy {shown} of {variable}, so {service.url} ")
    assert "name the service's host in NO_PROXY" in told
    assert "secret" not in told


def test_a_proxy_that_refuses_the_way_is_named(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(Handler):
        def do_CONNECT(self) -> None:  # noqa: N802
            self.whole(403, b"no", {})

    with serving(Refusing) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(ServiceError) as error:
            ask(Connection("https://home.example/v1", "sk-test"), QUICK, [])
    assert f"through the proxy http://127.0.0.1:{port} of HTTPS_PROXY: 403" in str(error.value)


def test_a_proxy_that_wants_a_password_is_named(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    class Asking(Handler):
        def do_GET(self) -> None:  # noqa: N802
            self.whole(407, b"who?", {})

    with serving(Asking) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(ServiceError, match=r"wanted by the proxy .* of HTTP_PROXY"):
            ask(Connection("http://home.example/v1", "sk-test"), QUICK, [])


@pytest.mark.parametrize(
    "no_proxy",
    ["127.0.0.0/8", "127.0.0.1/32", "http://127.0.0.1", "a.example,*", "*.example, 127.0.0.1"],
)
def test_no_proxy_is_read_as_httpx2_reads_it(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    with pytest.raises(ServiceError, match="Nobody takes connections at"):
        ask(Connection(f"http://127.0.0.1:{free_port()}/v1", "sk-test"), QUICK, [])
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,.0.0.1.example,https://127.0.0.1")
    with pytest.raises(ServiceError, match="No connection to the proxy"):
        ask(Connection(f"http://127.0.0.1:{free_port()}/v1", "sk-test"), QUICK, [])


@contextmanager
def answering(reply: bytes | None) -> Generator[int]:
    """A port that answers each connection's first bytes so, and closes it; ``None`` is silent."""

    class Raw(BaseRequestHandler):
        def handle(self) -> None:
            request = cast("socket.socket", self.request)
            request.recv(65536)
            if reply is None:
                request.recv(65536)  # until the client gives up
            else:
                request.sendall(reply)

    with serving(Raw) as port:
        yield port


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad\r\n\r\n", None])
# httpcore2 (2.16.2) leaves the connection to such a port to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_port_that_does_not_speak_socks_is_named(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, reply: bytes | None
) -> None:
    with answering(reply) as port:
        monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{port}")
        with pytest.raises(ServiceError, match=rf"through the proxy socks5://127\.0\.0\.1:{port}"):
            ask(Connection("http://home.example/v1", "sk-test"), QUICK, [])
    gc.collect()


@pytest.mark.parametrize(
    ("scheme", "reply"),
    [
        ("http", b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"),
        ("http", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
        ("http", b""),
        ("http", b"\x05\x00nonsense\r\n\r\n"),
        ("http", None),
        ("https", b""),
        ("https", None),
    ],
)
def test_an_http_proxy_that_does_not_pass_on_is_named(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, reply: bytes | None, scheme: str
) -> None:
    with answering(reply) as port:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(ServiceError, match=rf"the proxy http://127\.0\.0\.1:{port} of ALL_P"):
            ask(Connection(f"{scheme}://home.example/v1", "sk-test"), QUICK, [])


def test_a_proxy_is_not_blamed_for_what_the_gateway_says(
    service: FakeService, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", service.url.removesuffix("/v1"))  # passes on to itself
    service.refusals = [(503, {})]
    service.message = "Too busy."
    with pytest.raises(ServiceError) as error:
        ask(service.connection, QUICK, [])
    assert "HTTP_PROXY" not in str(error.value)


@pytest.mark.parametrize("address", ["socks4://127.0.0.1:1080", "ftp://x", "http://[::1"])
def test_an_address_that_is_no_proxys_is_named(
    service: FakeService, ask: Ask, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    with pytest.raises(ClientError, match="ALL_PROXY names no proxy that can be used"):
        ask(service.connection, QUICK, [])
