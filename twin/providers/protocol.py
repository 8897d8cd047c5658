"""Pulumi's provider protocol, reduced to what a resource type has to say.

A provider is a set of :class:`ResourceType`; :class:`Servicer` speaks gRPC for it.
Promises: check, detailed diff, replacement, preview, refresh, delete, progress lines.
Leaves out: schemas, functions (invokes), components, and import by lookup.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    status_pb2,
)
from pulumi.runtime.proto import provider_pb2_grpc as provider_grpc

from twin.providers.properties import Change, Properties, differences, from_wire, to_wire

_T = TypeVar("_T")
DEFAULT_TIMEOUT_SECONDS = 600
_KINDS: Mapping[Change, Any] = {
    "add": provider_pb2.PropertyDiff.ADD,
    "delete": provider_pb2.PropertyDiff.DELETE,
    "update": provider_pb2.PropertyDiff.UPDATE,
}
_REPLACING: Mapping[Change, Any] = {
    "add": provider_pb2.PropertyDiff.ADD_REPLACE,
    "delete": provider_pb2.PropertyDiff.DELETE_REPLACE,
    "update": provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


class ProviderError(Exception):
    """The operation failed; the message is what the user of `pulumi` reads."""


class NotReadyError(ProviderError):
    """The resource exists and is not ready: it stays in the state, to be updated the next time."""

    def __init__(self, message: str, id_: str, outputs: Properties) -> None:
        super().__init__(message)
        self.id = id_
        self.outputs = outputs


@dataclass(frozen=True)
class Operation:
    """What an operation may use besides its inputs."""

    preview: bool
    deadline: float
    """On the clock of ``time.monotonic``."""
    say: Callable[[str], None]
    """Show a line beside the resource while the operation runs."""
    cancelled: threading.Event
    """Set when the user gives up."""

    def pause(self, seconds: float) -> None:
        """Wait between two looks.

        Raises:
            ProviderError: the user gave up meanwhile.
        """
        if self.cancelled.wait(seconds):
            raise ProviderError("cancelled")


@dataclass(frozen=True)
class Created:
    """A resource's id and outputs."""

    id: str
    outputs: Properties


class ResourceType(Protocol):
    """One type, or one family of types."""

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        """Problems as (property, reason)."""
        ...

    def replaces(self, path: str, old: Properties, new: Properties) -> bool:
        """Whether a difference at this path needs a new resource."""
        ...

    def live_inputs(
        self, inputs: Properties, outputs: Properties, planned: Properties
    ) -> Properties:
        """The inputs as the resource was last seen to have them.

        Where that is not what the program says (``planned``), the next update puts it right.
        """
        ...

    def create(self, inputs: Properties, operation: Operation) -> Created: ...

    def update(
        self, id_: str, old: Properties, inputs: Properties, operation: Operation
    ) -> Properties: ...

    def read(self, id_: str, outputs: Properties) -> Properties | None:
        """The outputs as they are now; ``None`` when it is gone."""
        ...

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None: ...


class Servicer(provider_grpc.ResourceProviderServicer):
    """One provider on the engine's wire."""

    def __init__(
        self,
        version: str,
        types: Callable[[Properties], Callable[[str], ResourceType]],
    ) -> None:
        self._version = version
        self._types = types
        self._type: Callable[[str], ResourceType] = types({})
        self._engine: Any = None
        self._cancelled = threading.Event()

    # The engine's names.
    # ruff: noqa: N802

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._begin(request.address)
        return Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self._version)

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return _diff(from_wire(request.old_inputs), from_wire(request.news), lambda _: False)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._type = self._types(from_wire(request.args))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_wire(request.news)
        failures = self._attempt(context, lambda: self._of(request).check(inputs))
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=[provider_pb2.CheckFailure(property=p, reason=r) for p, r in failures],
        )

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        type_, new = self._of(request), from_wire(request.news)
        old = type_.live_inputs(from_wire(request.old_inputs), from_wire(request.olds), new)
        return _diff(old, new, lambda path: type_.replaces(path, old, new))

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = from_wire(request.properties)
        operation = self._operation(request, preview=request.preview)
        created = self._attempt(context, lambda: self._of(request).create(inputs, operation))
        return provider_pb2.CreateResponse(id=created.id, properties=to_wire(created.outputs))

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        operation = self._operation(request, preview=request.preview)
        old, new = from_wire(request.olds), from_wire(request.news)
        outputs = self._attempt(
            context, lambda: self._of(request).update(request.id, old, new, operation)
        )
        return provider_pb2.UpdateResponse(properties=to_wire(outputs))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        type_, old = self._of(request), from_wire(request.properties)
        outputs = self._attempt(context, lambda: type_.read(request.id, old))
        if outputs is None:
            return provider_pb2.ReadResponse()
        said = from_wire(request.inputs)
        live = type_.live_inputs(said, outputs, said)
        inputs = {name: live[name] for name in said if name in live}
        return provider_pb2.ReadResponse(
            id=request.id, properties=to_wire(outputs), inputs=to_wire(inputs)
        )

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        operation = self._operation(request, preview=False)
        old = from_wire(request.properties)
        self._attempt(context, lambda: self._of(request).delete(request.id, old, operation))
        return Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._cancelled.set()
        return Empty()

    def _begin(self, engine_address: str) -> None:
        """A run of the engine begins; this process outlives it."""
        self._cancelled = threading.Event()
        if engine_address:
            self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine_address))

    def _of(self, request: Any) -> ResourceType:
        return self._type(request.type or request.urn.split("::")[2].rpartition("$")[2])

    def _operation(self, request: Any, *, preview: bool) -> Operation:
        seconds = getattr(request, "timeout", 0) or DEFAULT_TIMEOUT_SECONDS
        return Operation(
            preview,
            time.monotonic() + seconds,
            lambda text: self._say(request.urn, text),
            self._cancelled,
        )

    def _say(self, urn: str, text: str) -> None:
        if self._engine is not None:
            self._engine.Log(
                engine_pb2.LogRequest(
                    severity=engine_pb2.INFO, message=text, urn=urn, ephemeral=True
                )
            )

    def _attempt(self, context: grpc.ServicerContext, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except ProviderError as error:
            if isinstance(error, NotReadyError):
                context.set_trailing_metadata((_what_is_there(error),))
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise  # abort has raised already; the type checker cannot know


def _what_is_there(error: NotReadyError) -> tuple[str, bytes]:
    """For the engine, which would forget the resource otherwise, or what it is now."""
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.id, properties=to_wire(error.outputs), reasons=[str(error)]
        )
    )
    return "grpc-status-details-bin", status.SerializeToString()


def _diff(old: Properties, new: Properties, replaces: Callable[[str], bool]) -> Any:
    detailed: Mapping[str, Any] = {
        path: provider_pb2.PropertyDiff(
            kind=(_REPLACING if replaces(path) else _KINDS)[change], inputDiff=True
        )
        for path, change in differences(old, new)
    }
    changes = (
        provider_pb2.DiffResponse.DIFF_SOME if detailed else provider_pb2.DiffResponse.DIFF_NONE
    )
    return provider_pb2.DiffResponse(
        changes=changes,
        replaces=sorted(path for path in detailed if replaces(path)),
        diffs=sorted({path.partition(".")[0].partition("[")[0] for path in detailed}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )
