"""A question wakes home: real Caddys, and on loopback a home that sleeps and who wakes it."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from infra.gcp.fallback import Elsewhere
from infra.gcp.waking import Waker
from tests.support.gateway import FALLBACK_KEY, chat_headers, is_up, line_of, running_gateway
from tests.support.home import Home, home_handler
from tests.support.http_server import Handler, serving
from tests.support.ports import free_port
from tests.support.waiting import until

CHAT = "/v1/chat/completions"
QUESTION = {"model": "vlm", "messages": [{"role": "user", "content": "x" * 300_000}]}


@dataclass
class Device:
    """That wakes home, as home/waker answers."""

    asked: list[tuple[str, dict[str, str], bytes]] = field(
        default_factory=list[tuple[str, dict[str, str], bytes]]
    )
    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)
    """Until it is set, a request is taken and nothing is said."""


def device_handler(device: Device) -> type[Handler]:
    class DeviceHandler(Handler):
        def do_POST(self) -> None:  # noqa: N802  # the name that the server calls
            device.asked.append((self.path, dict(self.headers.items()), self.body()))
            device.answers.wait(30)
            self.whole(device.status, b'{"sentOn": ["eth0"]}', {"Content-Type": "application/json"})

    return DeviceHandler


def waker(port: int) -> Waker:
    return Waker(address="127.0.0.1", port=port, seconds=75)


@dataclass(frozen=True)
class Gateway:
    url: str
    home: Home
    device: Device
    log: Path

    def ask(self, name: str | None = "laptop") -> httpx2.Response:
        headers = chat_headers(name) if name else {}
        return httpx2.post(f"{self.url}{CHAT}", headers=headers, json=QUESTION, timeout=20)


@pytest.fixture
def gateway(tmp_path: Path) -> Generator[Gateway]:
    home, device = Home(), Device()
    device.answers.set()
    with (
        serving(home_handler(home)) as port,
        serving(device_handler(device)) as device_port,
        running_gateway(
            tmp_path, home_port=port, waker=waker(device_port), check_interval="200ms"
        ) as url,
    ):
        until(lambda: is_up(url))
        yield Gateway(url, home, device, tmp_path / "log")


@pytest.fixture
def asleep(gateway: Gateway) -> Gateway:
    """Home counts as off."""
    gateway.home.on = False
    until(lambda: gateway.ask().status_code == 503)
    gateway.device.asked.clear()
    return gateway


def test_a_question_wakes_home_and_is_told_when_to_come_back(asleep: Gateway) -> None:
    answer = asleep.ask()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "75")
    error = answer.json()["error"]
    assert (error["code"], error["type"], error["param"]) == ("home_waking", "server_error", None)
    assert "is being woken, which takes about 75 s" in error["message"]
    assert line_of(asleep.log, answer)["wake"] == "sent"
    asleep.home.on = True
    until(lambda: asleep.ask().status_code == 200)
    asked = len(asleep.device.asked)
    assert asleep.ask().status_code == 200
    assert len(asleep.device.asked) == asked, "a home that is awake is left alone"


def test_the_device_is_told_nothing_of_the_client(asleep: Gateway) -> None:
    asleep.ask()
    [(path, headers, body)] = asleep.device.asked
    assert (path, body) == ("/wake", b"")
    told = str(headers).lower()
    for secret in ("authorization", "bearer", "laptop", "upstream", "x-forwarded-for"):
        assert secret not in told, headers


def test_the_first_question_after_a_start_wakes_home_too(tmp_path: Path) -> None:
    device = Device()
    device.answers.set()
    with (
        serving(device_handler(device)) as device_port,
        running_gateway(tmp_path, home_port=free_port(), waker=waker(device_port)) as url,
    ):
        # Home does not count as off yet: the question was held, and could not be delivered.
        answer = Gateway(url, Home(), device, tmp_path / "log").ask()
    assert answer.json()["error"]["code"] == "home_waking"
    assert len(device.asked) == 1


@pytest.mark.parametrize("status", [404, 503])
def test_a_home_that_starts_is_not_woken(gateway: Gateway, status: int) -> None:
    gateway.home.says = (status, {"Content-Type": "text/plain"})
    assert gateway.ask().status_code == 503
    assert gateway.device.asked == []


def test_strangers_monitors_and_lists_of_models_let_home_sleep(asleep: Gateway) -> None:
    key = chat_headers("laptop")
    assert asleep.ask(name=None).status_code == 401
    for headers, path in ((key, "/health"), ({}, "/health"), (key, "/v1/models")):
        answer = httpx2.get(f"{asleep.url}{path}", headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["error"]["code"] == "home_unavailable"
    assert asleep.device.asked == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_where_that_device_refuses_home_is_said_to_be_off_and_the_log_says_why(
    asleep: Gateway, status: int
) -> None:
    asleep.device.status = status
    answer = asleep.ask()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"]["code"] == "home_unavailable"
    assert line_of(asleep.log, answer)["wake"] == status


def test_where_that_device_is_silent_home_is_said_to_be_off(asleep: Gateway) -> None:
    asleep.device.answers.clear()
    answer = asleep.ask()
    asleep.device.answers.set()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"]["code"] == "home_unavailable"
    assert line_of(asleep.log, answer)["wake"] == 502


def test_where_that_device_is_gone_home_is_said_to_be_off(tmp_path: Path) -> None:
    home, nobody = Home(on=False), waker(free_port())
    with (
        serving(home_handler(home)) as port,
        running_gateway(tmp_path, home_port=port, waker=nobody, check_interval="200ms") as url,
    ):
        asleep = Gateway(url, home, Device(), tmp_path / "log")
        until(lambda: asleep.ask().status_code == 503)
        answer = asleep.ask()
        assert answer.json()["error"]["code"] == "home_unavailable"
        assert line_of(asleep.log, answer)["wake"] == 503


def test_a_model_server_that_starts_is_not_woken(gateway: Gateway) -> None:
    gateway.home.says = (503, {"Content-Type": "text/plain"})
    answer = gateway.ask()
    assert answer.json()["error"]["code"] == "model_unavailable"
    assert gateway.device.asked == []


def test_where_another_service_answers_meanwhile_home_is_woken_all_the_same(
    tmp_path: Path,
) -> None:
    home, device, elsewhere = Home(on=False), Device(), Home()
    device.answers.set()
    with (
        serving(home_handler(home)) as port,
        serving(device_handler(device)) as device_port,
        serving(home_handler(elsewhere)) as other,
        running_gateway(
            tmp_path,
            home_port=port,
            fallback=Elsewhere(url=f"http://127.0.0.1:{other}/v1", model="m", key=FALLBACK_KEY),
            waker=waker(device_port),
            check_interval="200ms",
        ) as url,
    ):
        asleep = Gateway(url, home, device, tmp_path / "log")
        until(lambda: asleep.ask().status_code == 200)
        device.asked.clear()
        assert "x-hub-fallback" in asleep.ask().headers
        assert len(device.asked) == 1
