from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.client.fake_service import FakeService, fake_service


@pytest.fixture
def service() -> Iterator[FakeService]:
    with fake_service() as running:
        yield running
