"""An address for each pod: two model servers at once are told apart."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from tests.twin.node.living import pod_object, shell
from twin.node.pod_network import OneAddress

PRIVATE = (("unshare", "--net"), ("unshare", "--user", "--map-root-user", "--net"))
"""Ways into a network of one's own: as root, and as an ordinary user."""


def private() -> tuple[str, ...]:
    for way in PRIVATE:
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    pytest.skip("this machine makes no network namespaces")


def with_port(port: int) -> dict[str, object]:
    return pod_object(shell("exec sleep 60", ports=[{"containerPort": port}]))


def test_two_pods_answer_at_one_port_of_different_addresses() -> None:
    line = [*private(), sys.executable, "-m", "tests.twin.node.two_pods"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == {
        "ips": ["10.42.0.2", "10.42.0.3"],
        "answers": ["old", "new"],
        "gone": "nothing",
        "next": "10.42.0.4",
    }


def test_on_one_address_a_pod_waits_for_the_port_of_a_pod_that_still_ends() -> None:
    async def story() -> None:
        network = OneAddress("192.0.2.7")
        old = await network.join(with_port(8000))
        other = await network.join(with_port(8001))
        new = asyncio.create_task(network.join(with_port(8000)))
        await asyncio.wait({new}, timeout=0.05)
        assert not new.done()
        await old.leave()
        assert (await new).ip == other.ip == "192.0.2.7"

    asyncio.run(asyncio.wait_for(story(), 20))
