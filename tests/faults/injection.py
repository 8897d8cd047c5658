"""Faults of a running twin, each injected for real and healed at the end."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psutil

from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from twin.network import End
from twin.parts.part import records
from twin.paths import TwinPaths

Fault = Callable[[HubUnderTest], AbstractContextManager[None]]
CLOUD: tuple[End, ...] = ("cloud", "cloud-next")
PATIENCE = 120


def part(hub: HubUnderTest, name: str) -> psutil.Process:
    [record] = [one for one in records(TwinPaths(hub.state)) if one.name == name]
    return psutil.Process(record.pid)


@contextmanager
def _standing_still(processes: list[psutil.Process]) -> Generator[None]:
    for one in processes:
        one.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in processes:
            one.send_signal(signal.SIGCONT)


def frozen(name: str) -> Fault:
    """A part of the twin exists and does nothing."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        with _standing_still(_tree(part(hub, name))):
            yield

    return inject


def killed(name: str) -> Fault:
    """A part of the twin is gone without goodbye, and what it has started with it."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        _kill(_tree(part(hub, name)))
        try:
            yield
        finally:
            hub.ok("up")

    return inject


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _kill(processes: list[psutil.Process]) -> None:
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    until(lambda: not any(one.is_running() and not _is_zombie(one) for one in processes))


def _is_zombie(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def patched(kind: str, name: str, patch: dict[str, Any]) -> Fault:
    """An object of the model's namespace was edited by hand."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        before = hub.kubectl("-n", "vlm", "get", kind, name)
        hub.kubectl("-n", "vlm", "patch", kind, name, "--type=merge", "-p", json.dumps(patch))
        try:
            yield
        finally:
            _replace(hub, before)

    return inject


def deleted(kind: str, name: str) -> Fault:
    """An object of the model's namespace was deleted by hand."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        before = hub.kubectl("-n", "vlm", "get", kind, name)
        assert hub.shell(f"kubectl -n vlm delete {kind} {name}").returncode == 0
        try:
            yield
        finally:
            _replace(hub, before)

    return inject


def _replace(hub: HubUnderTest, before: dict[str, Any]) -> None:
    for field in ("resourceVersion", "uid", "creationTimestamp"):
        before["metadata"].pop(field, None)
    subprocess.run(
        ["kubectl", "apply", "--server-side", "--force-conflicts", "-f", "-"],
        input=json.dumps(before | {"metadata": _unmanaged(before["metadata"])}),
        env=hub.shell_env,
        text=True,
        capture_output=True,
        check=True,
    )


def _unmanaged(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != "managedFields"}


@contextmanager
def engine_hangs(hub: HubUnderTest) -> Generator[None]:
    """vLLM's engine stands still; its API server goes on saying that all is well."""
    with _standing_still(_engines(hub)):
        yield


@contextmanager
def engine_killed(hub: HubUnderTest) -> Generator[None]:
    """As by the kernel when memory runs out, or by a GPU that fails; its API server still runs."""
    _kill(_engines(hub))
    yield


def _engines(hub: HubUnderTest) -> list[psutil.Process]:
    engines = [
        one for one in part(hub, "node").children(recursive=True) if _arguments(one, "EngineCore")
    ]
    assert engines
    return engines


@contextmanager
def auth_key_expired(hub: HubUnderTest) -> Generator[None]:
    """Every auth key of the gateway has expired, and its instance has ended."""
    for key in hub.headscale("preauthkeys", "list"):
        hub.headscale("preauthkeys", "expire", "--id", str(key["id"]))
    end_instance(hub)
    try:
        yield
    finally:
        done = hub.shell("pulumi up --yes --skip-preview --refresh --stack twin")
        assert done.returncode == 0, done.stdout


def end_instance(hub: HubUnderTest) -> None:
    """Without goodbye; the next request starts another one."""

    def running() -> set[int]:
        instances = [one for service in hub.services for one in service["instances"]]
        return {container["pid"] for one in instances for container in one["containers"]}

    killed = running()
    _kill([one for pid in killed for one in _tree(psutil.Process(pid))])
    until(lambda: not killed & running(), seconds=PATIENCE)


@contextmanager
def instance_killed(hub: HubUnderTest) -> Generator[None]:
    """The gateway's instance is gone without goodbye; Cloud Run mends it."""
    end_instance(hub)
    yield


@contextmanager
def model_server_killed(hub: HubUnderTest) -> Generator[None]:
    """As by the kernel when memory runs out; Kubernetes mends it."""
    servers = [one for one in part(hub, "node").children() if _arguments(one, "vllm_server")]
    assert servers
    _kill([process for one in servers for process in _tree(one)])
    yield


def _arguments(process: psutil.Process, part_of_one: str) -> bool:
    return any(part_of_one in word for word in process.cmdline())


def deployed(old: str, new: str) -> Fault:
    """A change of the stack's file, all else in it as in the repository; the next one ends it."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        done = hub.up_with(old, new)
        assert done.returncode == 0, done.stdout
        yield

    return inject


@contextmanager
def small_packets_only(hub: HubUnderTest) -> Generator[None]:
    """The path to home carries packets up to 1000 bytes, and says nothing of larger ones.

    The default setting's largest have 1084: 1024, and WireGuard's 60.
    """
    network = hub.network

    def limit(bytes_: int, segments: int) -> None:
        # A bridge lets packets through that are still to be cut into segments, however long.
        for end in CLOUD:
            line = network.at(end, "ip", "link", "set", "eth0", "gso_max_segs", str(segments))
            subprocess.run(line, check=True)
        line = network.at("inet", "ip", "link", "set", "to-home", "mtu", str(bytes_))
        subprocess.run(line, check=True)

    limit(1000, 1)
    try:
        yield
    finally:
        limit(1500, 65535)


@contextmanager
def udp_cannot_be_sent(hub: HubUnderTest) -> Generator[None]:
    """The gateway's side refuses every datagram; TCP, and so the relay, works."""
    network = hub.network

    def rule(verb: str) -> None:
        for end in CLOUD:
            line = ("ip", "rule", verb, "pref", "10", "ipproto", "udp", "prohibit")
            subprocess.run(network.at(end, *line), check=True)

    rule("add")
    try:
        yield
    finally:
        rule("del")
