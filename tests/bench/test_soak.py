"""The lines that a soak writes."""

from __future__ import annotations

from collections import Counter

from bench.soak import grown, row
from tests.faults.look import Look
from tests.faults.streams import Request


def test_a_row_has_what_was_asked_since_the_last_look_and_what_is_there_now() -> None:
    asked = [
        Request(0, begun=0.0, ended=1.0, outcome="right"),
        Request(1, begun=0.0, ended=3.0, outcome="right"),
        Request(2, begun=1.0, ended=3.0, outcome="failed", detail="503 home_unavailable"),
    ]
    memory, files = Counter(caddy=40, vllm=2000), Counter(caddy=12, vllm=900)
    seen = Look(0.0, Counter(), memory, files)
    assert row(10, asked, seen) == "| 10 | 3 | 2 | 1 | 2.0 s | 2,040 MB | 912 |"


def test_what_grew_is_told_by_name_the_most_first_and_what_shrank_last() -> None:
    before = Counter(caddy=40, vllm=2000, kine=20)
    after = Counter(caddy=45, vllm=2100, kine=15, traefik=1)
    assert grown(before, after) == "vllm +100, caddy +5, traefik +1, kine -5"
