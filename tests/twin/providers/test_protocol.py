"""The protocol itself, with a resource type of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, status_pb2

from tests.twin.providers.engine import Engine, engine
from twin.providers.properties import Properties, from_wire
from twin.providers.protocol import Created, NotReadyError, Operation, ProviderError


@dataclass
class Kettle:
    """Takes as long to boil as it is told."""

    heating: threading.Event = field(default_factory=threading.Event)
    seconds_left: float = 0

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        return [] if "water" in inputs else [("water", "is missing")]

    def replaces(self, path: str, old: Properties, new: Properties) -> bool:
        return path == "metal"

    def live_inputs(
        self, inputs: Properties, outputs: Properties, planned: Properties
    ) -> Properties:
        return {name: outputs.get(name, value) for name, value in inputs.items()}

    def create(self, inputs: Properties, operation: Operation) -> Created:
        if inputs.get("for ever"):
            operation.say("heating")
            self.heating.set()
            operation.pause(60)
        self.seconds_left = operation.deadline
        if inputs.get("leaks"):
            raise NotReadyError("it does not boil", "kettle-2", {**inputs, "hot": False})
        return Created("kettle-1", {**inputs, "hot": not operation.preview})

    def update(
        self, id_: str, old: Properties, inputs: Properties, operation: Operation
    ) -> Properties:
        raise ProviderError(f"{id_} is too hot to touch")

    def read(self, id_: str, outputs: Properties) -> Properties | None:
        return None if id_ == "stolen" else {**outputs, "hot": False}

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        self.seconds_left = 0


@pytest.fixture
def kettle() -> Kettle:
    return Kettle()


@pytest.fixture
def kitchen(kettle: Kettle) -> Iterator[Engine]:
    def of(token: str) -> Kettle:
        if token != "kitchen:index:Kettle":
            raise ProviderError(f"the kitchen has no {token}")
        return kettle

    with engine(lambda _: of, "kitchen:index:Kettle") as attached:
        yield attached


def details(error: pytest.ExceptionInfo[Any]) -> str:
    return error.value.details()


def test_the_provider_has_the_version_it_was_given(kitchen: Engine) -> None:
    assert kitchen.version() == "1.2.3"


def test_a_check_names_the_property_and_the_reason(kitchen: Engine) -> None:
    assert kitchen.check({}) == {"water": "is missing"}
    assert kitchen.check({"water": 1}) == {}


def test_a_diff_tells_updates_from_replacements(kitchen: Engine) -> None:
    assert kitchen.diff({"metal": "tin", "water": 1}, {"metal": "copper", "water": 2}) == {
        "metal": "UPDATE_REPLACE",
        "water": "UPDATE",
    }
    assert kitchen.diff({"water": 1}, {"water": 1}) == {}


def test_what_somebody_else_changed_is_put_right_once_it_was_seen(kitchen: Engine) -> None:
    said = {"metal": "tin", "water": 1}
    assert kitchen.diff(said, said, live={**said, "water": 2, "hot": True}) == {"water": "UPDATE"}


def test_a_refusal_reaches_the_user_in_its_own_words(kitchen: Engine) -> None:
    with pytest.raises(grpc.RpcError) as error:
        kitchen.update("kettle-1", {}, {})
    assert details(error) == "kettle-1 is too hot to touch"


def test_a_type_that_does_not_exist_is_refused_at_check(kitchen: Engine) -> None:
    with pytest.raises(grpc.RpcError) as error:
        kitchen.of("kitchen:index:Toaster").check({})
    assert details(error) == "the kitchen has no kitchen:index:Toaster"


def test_a_creation_gives_id_and_outputs_and_knows_a_preview(kitchen: Engine) -> None:
    assert kitchen.create({"water": 1}) == ("kettle-1", {"water": 1, "hot": True})
    assert kitchen.create({"water": 1}, preview=True)[1] == {"water": 1, "hot": False}


def test_what_is_there_but_not_ready_is_told_so_that_it_stays_in_the_state(
    kitchen: Engine,
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        kitchen.create({"leaks": True})
    assert details(error) == "it does not boil"
    call: Any = error.value
    [packed] = [value for key, value in call.trailing_metadata() if key.endswith("details-bin")]
    [detail] = status_pb2.Status.FromString(packed).details
    there = provider_pb2.ErrorResourceInitFailed()
    assert detail.Unpack(there)
    assert (there.id, list(there.reasons)) == ("kettle-2", ["it does not boil"])
    assert from_wire(there.properties) == {"leaks": True, "hot": False}


def test_what_is_gone_has_no_id_at_refresh(kitchen: Engine) -> None:
    assert kitchen.read("kettle-1", {"water": 1, "hot": True}) == {"water": 1, "hot": False}
    assert kitchen.read("stolen", {"water": 1}) is None


def test_the_time_out_is_the_requests_and_ten_minutes_without(
    kitchen: Engine, kettle: Kettle
) -> None:
    kitchen.create({}, seconds=20)
    short = kettle.seconds_left
    kitchen.create({})
    assert kettle.seconds_left - short == pytest.approx(580, abs=5)


def test_a_user_who_gives_up_is_not_kept_waiting_and_may_come_again(
    kitchen: Engine, kettle: Kettle
) -> None:
    boiling = kitchen.creating({"for ever": True})
    assert kettle.heating.wait(5)
    assert kitchen.said("heating")
    kitchen.cancel()
    with pytest.raises(grpc.RpcError) as error:
        boiling.result()
    assert details(error) == "cancelled"

    kitchen.attach("")
    kettle.heating.clear()
    again = kitchen.creating({"for ever": True})
    assert kettle.heating.wait(5)
    with pytest.raises(grpc.FutureTimeoutError):
        again.result(timeout=0.2)
    kitchen.cancel()
