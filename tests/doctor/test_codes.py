"""The doctor knows each error that the gateway says for itself."""

from __future__ import annotations

import re

from doctor.observations import GATEWAYS_OWN
from infra.gcp.caddyfile import caddyfile
from infra.gcp.waking import Waker

OF_THE_MODEL_SERVER = {"model_failed", "unsupported_form"}
"""In the gateway's words, but at an answer of the model server's."""


def test_every_error_of_the_gateways_is_known() -> None:
    rendered = caddyfile(body_mb=20, waker=Waker(address="100.64.0.9", port=7390, seconds=60))
    table = r"(?:invalid_request_error|rate_limit_error|server_error) (\w+) \""
    codes = set(re.findall(table, rendered)) | set(re.findall(r'"code": "(\w+)"', rendered))
    assert codes - OF_THE_MODEL_SERVER == GATEWAYS_OWN
