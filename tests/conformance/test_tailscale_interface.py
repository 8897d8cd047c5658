"""What the fast tests know of Tailscale's interface is what its own client has."""

from __future__ import annotations

import json

import pytest

from tests.support.tailscale.interface import FILE, described

pytestmark = pytest.mark.conformance


def test_the_description_is_what_tailscales_own_client_has() -> None:
    assert described() == json.loads(FILE.read_text()), (
        "python -m tests.support.tailscale.interface"
    )
