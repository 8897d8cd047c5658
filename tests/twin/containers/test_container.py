"""Containers as processes, real ones."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.support.signals import ignored
from tests.support.waiting import until_async
from twin.containers.container import (
    Container,
    ContainerSpec,
    command_line,
    environment,
    rewrite_mounts,
)
from twin.containers.images import IMAGES, LocalImage, UnknownImageError, resolve


@pytest.mark.parametrize(
    ("image", "entrypoint"),
    [
        ("asia-northeast3-docker.pkg.dev/p/docker-hub/library/caddy:2.11.4", "caddy"),
        ("tailscale/tailscale:v1.102.3@sha256:" + "0" * 64, "containerboot"),
        ("localhost:5000/pause", "sh"),
    ],
)
def test_the_last_part_of_the_images_name_picks_the_program(image: str, entrypoint: str) -> None:
    assert resolve(image).entrypoint[0] == entrypoint


def test_an_unknown_image_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownImageError, match=r"nginx:1.*known: caddy"):
        resolve("nginx:1")


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("/etc/caddy/Caddyfile", "/s/v/Caddyfile"),
        ("--config=/etc/caddy/Caddyfile", "--config=/s/v/Caddyfile"),
        ("/etc/caddy", "/s/v"),
        ("/etc/caddy:/etc/caddy", "/s/v:/s/v"),
        ("/etc/caddy-keys/keys", "/s/k/keys"),
        ("/x/etc/caddy/f", "/x/etc/caddy/f"),
        ("/etc/caddyfile", "/etc/caddyfile"),
    ],
)
def test_a_mounts_path_becomes_the_folder_that_stands_for_it(text: str, rewritten: str) -> None:
    mounts = {"/etc/caddy": Path("/s/v"), "/etc/caddy-keys": Path("/s/k")}
    assert rewrite_mounts(text, mounts) == rewritten


def test_what_a_path_was_replaced_by_is_not_replaced_again() -> None:
    mounts = {"/etc/v": Path("/tmp/state/v"), "/tmp": Path("/tmp/state/t")}
    assert rewrite_mounts("/etc/v/f /tmp/s", mounts) == "/tmp/state/v/f /tmp/state/t/s"


def test_tailscaleds_socket_lies_in_the_containers_own_tmp(tmp_path: Path) -> None:
    own = spec(tmp_path, mounts={"/tmp": tmp_path / "own"})
    assert environment(own, IMAGES["tailscale"])["TS_SOCKET"] == f"{tmp_path}/own/tailscaled.sock"


def spec(tmp_path: Path, **more: object) -> ContainerSpec:
    values: dict[str, object] = {"name": "c", "image": "test", "log": tmp_path / "c.log", **more}
    return ContainerSpec(**values)  # pyright: ignore[reportArgumentType]


IMAGE = LocalImage(entrypoint=("entry",), cmd=("default",), env={"FROM": "image", "BOTH": "image"})


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, ("entry", "default")),
        ({"args": ("a",)}, ("entry", "a")),
        ({"command": ("c",)}, ("c",)),
        ({"command": ("c",), "args": ("a",)}, ("c", "a")),
    ],
)
def test_command_and_arguments_replace_the_images(
    tmp_path: Path, given: dict[str, object], line: tuple[str, ...]
) -> None:
    assert command_line(spec(tmp_path, **given), IMAGE) == line


def test_the_environment_is_the_images_then_the_containers_and_not_the_parents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_PARENT", "x")
    monkeypatch.setenv("HUB_TWIN", "/state")
    env = environment(spec(tmp_path, env={"BOTH": "container"}), IMAGE)
    assert env["FROM"] == "image"
    assert env["BOTH"] == "container"
    assert env["HUB_TWIN"] == "/state"
    assert "SECRET_OF_THE_PARENT" not in env


def python(tmp_path: Path, code: str) -> ContainerSpec:
    IMAGES["test"] = LocalImage(entrypoint=(sys.executable, "-u", "-c", code))
    return spec(tmp_path)


async def written(container: Container, text: str) -> None:
    await until_async(lambda: text in container.spec.log.read_text())


def test_sigterm_gives_a_container_its_grace(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit(3)))\n"
        "print('ready')\ntime.sleep(60)"
    )

    async def run() -> int:
        container = await Container.start(python(tmp_path, code))
        await written(container, "ready")
        return await container.stop(10)

    assert asyncio.run(run()) == 3
    assert (tmp_path / "c.log").read_text() == "ready\nbye\n"


def test_a_container_does_not_ignore_what_its_starter_ignores(tmp_path: Path) -> None:
    async def run() -> int:
        with ignored(signal.SIGTERM):
            container = await Container.start(python(tmp_path, "import time; time.sleep(60)"))
        return await container.stop(20)

    assert asyncio.run(run()) == 128 + signal.SIGTERM


def test_who_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    code = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready')\ntime.sleep(60)"
    )

    async def run() -> int:
        container = await Container.start(python(tmp_path, code))
        await written(container, "ready")
        return await container.stop(0.2)

    assert asyncio.run(run()) == 128 + signal.SIGKILL
