"""The engine's side of the provider protocol, over a real channel on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2_grpc, plugin_pb2, provider_pb2
from pulumi.runtime.proto import provider_pb2_grpc as provider_grpc

from twin.providers.properties import Properties, from_wire, to_wire
from twin.providers.protocol import ResourceType, Servicer

SECONDS = 10


@dataclass
class Log(engine_pb2_grpc.EngineServicer):
    """What the engine shows beside a resource."""

    lines: list[str] = field(default_factory=list[str])

    def Log(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        assert request.ephemeral
        self.lines.append(request.message)
        return Empty()


class Engine:
    """Calls one provider as the engine does, in plain values.

    Raises:
        grpc.RpcError: from every call that the provider refuses.
    """

    def __init__(self, channel: grpc.Channel, type_: str, log: Log) -> None:
        self._channel = channel
        self._stub: Any = provider_grpc.ResourceProviderStub(channel)
        self._type = type_
        self._log = log

    def of(self, type_: str) -> Engine:
        """The same provider, another resource type."""
        return Engine(self._channel, type_, self._log)

    @property
    def _who(self) -> dict[str, Any]:
        urn = f"urn:pulumi:twin::personal-cloud-hub::{self._type}::it"
        return {"urn": urn, "type": self._type, "name": "it"}

    def attach(self, address: str) -> None:
        self._stub.Attach(plugin_pb2.PluginAttach(address=address), timeout=SECONDS)

    def version(self) -> str:
        return self._stub.GetPluginInfo(Empty(), timeout=SECONDS).version

    def configure(self, **args: Any) -> None:
        request = provider_pb2.ConfigureRequest(args=to_wire(args))
        assert self._stub.Configure(request, timeout=SECONDS).supportsPreview

    def said(self, line: str) -> bool:
        """Whether the line is shown, now or within a second."""
        until = time.monotonic() + 1
        while line not in self._log.lines and time.monotonic() < until:
            time.sleep(0.01)
        return line in self._log.lines

    def check(self, inputs: Properties) -> dict[str, str]:
        """Reasons by property."""
        request = provider_pb2.CheckRequest(news=to_wire(inputs), **self._who)
        response = self._stub.Check(request, timeout=SECONDS)
        assert from_wire(response.inputs) == inputs
        return {failure.property: failure.reason for failure in response.failures}

    def diff(
        self, old: Properties, new: Properties, live: Properties | None = None
    ) -> dict[str, str]:
        """Kinds by path, as `pulumi preview --diff` shows them; ``live`` is in the state."""
        request = provider_pb2.DiffRequest(
            id="it",
            old_inputs=to_wire(old),
            olds=to_wire(live or old),
            news=to_wire(new),
            **self._who,
        )
        response = self._stub.Diff(request, timeout=SECONDS)
        kinds = provider_pb2.PropertyDiff.Kind
        found = {path: kinds.Name(d.kind) for path, d in response.detailedDiff.items()}
        replacing = sorted(path for path, kind in found.items() if kind.endswith("REPLACE"))
        assert list(response.replaces) == replacing
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        assert response.changes == (some if found else none)
        return found

    def create(
        self, inputs: Properties, *, preview: bool = False, seconds: float = 0
    ) -> tuple[str, Properties]:
        request = provider_pb2.CreateRequest(
            properties=to_wire(inputs), preview=preview, timeout=seconds, **self._who
        )
        response = self._stub.Create(request, timeout=SECONDS)
        return response.id, from_wire(response.properties)

    def creating(self, inputs: Properties) -> Any:
        """A creation under way: a future."""
        request = provider_pb2.CreateRequest(properties=to_wire(inputs), **self._who)
        return self._stub.Create.future(request, timeout=SECONDS)

    def cancel(self) -> None:
        self._stub.Cancel(Empty(), timeout=SECONDS)

    def update(
        self, id_: str, old: Properties, inputs: Properties, *, preview: bool = False
    ) -> Properties:
        request = provider_pb2.UpdateRequest(
            id=id_, olds=to_wire(old), news=to_wire(inputs), preview=preview, **self._who
        )
        return from_wire(self._stub.Update(request, timeout=SECONDS).properties)

    def read(self, id_: str, outputs: Properties) -> Properties | None:
        """``None`` when the provider says that it is gone."""
        request = provider_pb2.ReadRequest(id=id_, properties=to_wire(outputs), **self._who)
        response = self._stub.Read(request, timeout=SECONDS)
        return from_wire(response.properties) if response.id else None

    def delete(self, id_: str, outputs: Properties, *, seconds: float = 0) -> None:
        request = provider_pb2.DeleteRequest(
            id=id_, properties=to_wire(outputs), timeout=seconds, **self._who
        )
        self._stub.Delete(request, timeout=SECONDS)


@contextmanager
def engine(
    types: Callable[[Properties], Callable[[str], ResourceType]], type_: str = "a:b:C"
) -> Generator[Engine]:
    """A provider served on loopback, and an engine attached to it."""
    log = Log()
    engine_server = grpc.server(ThreadPoolExecutor(2))
    engine_pb2_grpc.add_EngineServicer_to_server(log, engine_server)
    provider_server = grpc.server(ThreadPoolExecutor(8))
    servicer = Servicer("1.2.3", types)
    provider_grpc.add_ResourceProviderServicer_to_server(servicer, provider_server)
    engine_port = engine_server.add_insecure_port("127.0.0.1:0")
    provider_port = provider_server.add_insecure_port("127.0.0.1:0")
    engine_server.start()
    provider_server.start()
    with grpc.insecure_channel(f"127.0.0.1:{provider_port}") as channel:
        attached = Engine(channel, type_, log)
        attached.attach(f"127.0.0.1:{engine_port}")
        attached.configure()
        try:
            yield attached
        finally:
            attached.cancel()  # a test that failed leaves nothing waiting
    provider_server.stop(grace=0).wait()
    engine_server.stop(grace=0).wait()
