"""The errors of docs/api.md are those of the source, and each code is asserted by a test."""

from __future__ import annotations

import re
from pathlib import Path

from app.model.refusals import CODES
from infra.gcp.caddyfile import caddyfile
from infra.gcp.waking import Waker
from tests.support.stacks import ROOT

OF_THE_MODEL_SERVER = {*CODES.values(), "invalid_request"}
MAPPED = re.compile(r'^\s*(?:~\^|")?(\d{3}|default)(?: \w+")? (\w+_error) (\w+) "', re.MULTILINE)
ANSWERED = re.compile(r'"type": "(\w+)", "param": null, "code": "(\w+)"}}` (\d{3})')
NEVER_SEEN = {"gateway_error", "request_cancelled"}
"""Nothing is known that makes the gateway itself fail; and to a client that stops sending, Caddy
writes 499 without a body."""
Error = tuple[str, str, str]
"""Status, type and code."""


def on_the_page() -> set[Error]:
    text = (ROOT / "docs/api.md").read_text().partition("## Errors")[2]
    cells = [line.split("|")[1:4] for line in text.splitlines() if re.match(r"\| \d", line)]
    listed = [[re.findall(r"\w+", cell) for cell in row] for row in cells if "`" in row[2]]
    return {
        (status, types[0], code)
        for statuses, types, codes in listed
        # As many codes as statuses, in their order; or one for all.
        for status, code in zip(statuses, codes * (len(statuses) // len(codes)), strict=True)
    }


def of_the_gateway() -> set[Error]:
    text = caddyfile(body_mb=20, waker=Waker(address="100.64.0.9", port=7390, seconds=30))
    mapped = {
        (re.sub("default", "500", status), kind, code)
        for status, kind, code in MAPPED.findall(text)
    }
    return mapped | {(status, kind, code) for kind, code, status in ANSWERED.findall(text)}


def test_the_page_lists_the_gateways_errors_and_the_model_servers() -> None:
    listed = on_the_page()
    others = {error for error in listed if error[2] in OF_THE_MODEL_SERVER}
    assert {code for _, _, code in others} == OF_THE_MODEL_SERVER
    assert listed - others == of_the_gateway()


def test_each_code_of_the_page_is_asserted_by_a_test() -> None:
    folders = [ROOT / "tests" / name for name in ("infra", "twin", "faults")]
    tests = "".join(
        file.read_text()
        for folder in folders
        for file in folder.rglob("test_*.py")
        if file != Path(__file__)
    )
    missing = {code for _, _, code in on_the_page() if f'"{code}"' not in tests}
    assert missing == NEVER_SEEN
