"""What `kubectl logs` gets."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import httpx2
import pytest

from twin.node.logs_server import application, follow_from


def ask(path: str, file: Path) -> httpx2.Response:
    def find(namespace: str, pod: str, container: str, previous: bool) -> Path | None:
        if (namespace, pod, container) != ("vlm", "vllm-0", "vllm"):
            return None
        return file.with_suffix(".previous.log") if previous else file

    async def one() -> httpx2.Response:
        transport = httpx2.ASGITransport(application(find))
        async with httpx2.AsyncClient(transport=transport, base_url="http://node") as http:
            return await http.get(path)

    return asyncio.run(one())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "vllm.log"
    file.write_text("one\ntwo\nthree\n")
    return file


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "one\ntwo\nthree\n"),
        ("?tailLines=2", "two\nthree\n"),
        ("?tailLines=9", "one\ntwo\nthree\n"),
        ("?tailLines=0", ""),
        ("?follow=false", "one\ntwo\nthree\n"),
    ],
)
def test_a_containers_log_is_shown(query: str, shown: str, log: Path) -> None:
    answer = ask(f"/containerLogs/vlm/vllm-0/vllm{query}", log)
    assert (answer.status_code, answer.text) == (200, shown)


@pytest.mark.parametrize(("age", "shown"), [(5, "three\n"), (60, "")])
def test_of_a_log_that_nobody_has_written_to_lately_nothing_is_shown(
    age: int, shown: str, log: Path
) -> None:
    written = time.time() - age
    os.utime(log, (written, written))
    answer = ask("/containerLogs/vlm/vllm-0/vllm?tailLines=1&sinceSeconds=15", log)
    assert (answer.status_code, answer.text) == (200, shown)


def test_another_pods_log_is_not_found(log: Path) -> None:
    assert ask("/containerLogs/vlm/other/vllm", log).status_code == 404


def test_a_container_that_wrote_nothing_says_so(tmp_path: Path) -> None:
    answer = ask("/containerLogs/vlm/vllm-0/vllm", tmp_path / "none.log")
    assert (answer.status_code, answer.text) == (404, "the container has not written anything\n")


def test_the_log_of_the_run_before_is_shown_when_asked_for(log: Path) -> None:
    path = "/containerLogs/vlm/vllm-0/vllm?previous=true"
    none = ask(path, log)
    said = 'previous terminated container "vllm" in pod "vllm-0" not found\n'
    assert (none.status_code, none.text) == (400, said)
    log.with_suffix(".previous.log").write_text("it crashed\n")
    assert ask(path, log).text == "it crashed\n"
    assert ask("/containerLogs/vlm/vllm-0/vllm", log).text == "one\ntwo\nthree\n"


@pytest.mark.parametrize("what", ["exec", "attach", "portForward"])
def test_running_commands_in_pods_is_refused_in_words(what: str, log: Path) -> None:
    answer = ask(f"/{what}/vlm/vllm-0/vllm", log)
    assert answer.status_code == 501
    assert answer.text == "the twin's node runs no commands inside pods\n"


def test_following_goes_on_exactly_where_the_first_part_ended(log: Path) -> None:
    """Also with what was written between the two looks."""

    size = log.stat().st_size
    log.write_text("one\ntwo\nthree\nbetween\n")

    async def read() -> list[bytes]:
        pieces = follow_from(log, b"three\n", size)
        async with asyncio.timeout(5):
            seen = [await anext(pieces), await anext(pieces)]
            await asyncio.to_thread(log.write_text, "one\ntwo\nthree\nbetween\nlater\n")
            seen.append(await anext(pieces))
        await pieces.aclose()
        return seen

    assert asyncio.run(read()) == [b"three\n", b"between\n", b"later\n"]
