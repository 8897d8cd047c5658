"""Clients of other projects, each with one streamed question about a picture, to real vLLM.

All that a client may send or meet is tried in ``tests/infra/gateway/test_other_clients.py``,
without the tunnel and the model.
"""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from tests.support.other_clients import NAMES, Form, ask, install
from tests.twin.conftest import HubUnderTest
from tests.twin.questions import first_key, red_square_and_blue_circle

pytestmark = pytest.mark.twin

QUESTION = "How many circles are there?"
ANSWER = "There is one circle."


@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("name", NAMES)
def test_a_client_is_told_what_is_in_its_picture(
    hub: HubUnderTest, tmp_path: Path, name: str, form: Form
) -> None:
    picture = tmp_path / "picture.png"
    # The size that the project's own client would send: no other client makes it smaller.
    red_square_and_blue_circle().resize((252, 168)).save(picture)
    base_url, key = f"{hub.gateway}/v1", first_key(hub)
    command = install()[name]
    assert ask(command, form, picture, QUESTION, base_url=base_url, key=key) == ANSWER


def test_open_webuis_test_of_a_connection_finds_the_model(hub: HubUnderTest) -> None:
    headers = {"Authorization": f"Bearer {first_key(hub)}", "Content-Type": "application/json"}
    answer = httpx2.get(f"{hub.gateway}/v1/models", headers=headers, timeout=60)
    assert [model["id"] for model in answer.json()["data"]] == ["vlm"]
