"""What the fast tests know of Google's interfaces is what Google publishes."""

from __future__ import annotations

import json

import pytest

from tests.support.google.extract import documents, extracted
from tests.support.google.interface import FILE

pytestmark = pytest.mark.conformance


def test_the_description_is_what_googles_own_client_carries() -> None:
    written = json.loads(FILE.read_text())
    assert extracted(documents()) == written, "python -m tests.support.google.extract"
