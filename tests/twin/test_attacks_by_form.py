"""The gateway's table of attacks once more, through Cloud Run's front and the whole path to vLLM.

``tests/infra/gateway/test_attacks.py`` sends it to the gateway alone and looks at what home gets.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.infra.gateway.attacks import (
    CHAT_ASKED,
    CHUNKS,
    FORMS,
    KEY,
    Attack,
    chunked,
    closed,
    post,
    rows,
)
from tests.support.gateway import API_KEYS
from tests.support.raw_http import Answer, exchange
from tests.twin.conftest import HubUnderTest

pytestmark = pytest.mark.twin

AT_THE_FRONT = {
    # The proxy before the gateway reads no such target, and has a smaller limit for heads.
    "opaque form": 400,
    "authority form with GET": 400,
    "as many headers as fit": 431,
}
CLOSED_AT_THE_FRONT = ("CL.TE", "TE.CL", "a coding that is folded")
"""Once vLLM has refused a question that came in chunks; what follows is never read."""
AT_THE_MODEL_SERVER = {"bytes that are no UTF-8 in the query": 400}


def through_the_front(**tables: dict[str, Attack]) -> dict[str, dict[str, Attack]]:
    """The same attacks, where the whole path answers otherwise than the gateway with any home."""
    return {
        table: {name: _through_the_front(name, attack) for name, attack in attacks.items()}
        for table, attacks in tables.items()
    }


def _through_the_front(name: str, attack: Attack) -> Attack:
    first, *others = attack.answers
    if name in CLOSED_AT_THE_FRONT:
        return closed(attack.sent, 400)
    if attack.home == CHAT_ASKED:
        first = 400  # no question that vLLM could answer
    first = AT_THE_FRONT.get(name, AT_THE_MODEL_SERVER.get(name, first))
    return replace(attack, answers=(first, *others))


def ask(hub: HubUnderTest, attack: Attack) -> tuple[list[Answer], bool]:
    """As often as the limit of requests in a minute refuses."""
    sent = attack.sent.replace(API_KEYS["laptop"], hub.api_keys()["robot"]).encode("latin-1")
    port = int(hub.gateway.rpartition(":")[2])
    while True:
        answers, in_step = exchange(port, sent, len(attack.answers))
        waits = [float(one.headers["Retry-After"]) for one in answers if one.status == 429]
        if not waits:
            return list(answers), in_step
        time.sleep(waits[0])


@pytest.mark.parametrize(
    "attack",
    rows(**through_the_front(**FORMS)),
)
def test_each_attack_gets_its_answer(hub: HubUnderTest, attack: Attack) -> None:
    answers, in_step = ask(hub, attack)
    assert [answer.status for answer in answers] == list(attack.answers)
    assert in_step is attack.in_step


@pytest.mark.parametrize("attack", rows(**through_the_front(chunk=CHUNKS)))
def test_a_body_in_broken_chunks_is_the_clients_mistake(hub: HubUnderTest, attack: Attack) -> None:
    answers, in_step = ask(hub, attack)
    assert [answer.status for answer in answers] == [400]
    assert in_step is attack.in_step


@pytest.mark.parametrize("megabytes", [21, 40])
@pytest.mark.parametrize("with_a_key", [True, False], ids=["a key", "no key"])
@pytest.mark.parametrize("in_a_chunk", [True, False], ids=["in a chunk", "with a length"])
def test_too_large_a_body_is_refused(
    hub: HubUnderTest, megabytes: int, with_a_key: bool, in_a_chunk: bool
) -> None:
    size = megabytes * 1_000_000
    head = chunked(f"{size:x}\r\n") if in_a_chunk else post(f"Content-Length: {size}")
    head = head if with_a_key else head.replace(f"{KEY}\r\n", "")
    [answer], in_step = ask(hub, closed(head + "x" * size, 413))
    assert (answer.status, in_step) == (413 if with_a_key else 401, False)
