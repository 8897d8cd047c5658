"""Cloud Run's control plane on this machine: deploy, delete, list."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from twin.cloud_run.instance import InstanceError
from twin.cloud_run.service import Service
from twin.paths import TwinPaths
from twin.whole_file import write_whole


class Registry:
    """The one service, remembered across restarts of this process."""

    def __init__(self, paths: TwinPaths, new: Callable[[], Service]) -> None:
        self._file = paths.google / "services.json"
        self._new = new
        self.only: Service | None = None
        if self._file.exists():
            kept = json.loads(self._file.read_text())
            self.only = self._new()
            self.only.restore(kept["inputs"], kept["generation"])

    async def deploy(self, inputs: dict[str, Any]) -> dict[str, Any]:
        service = self.only or self._new()
        revision = await service.deploy(inputs)
        self.only = service
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = {"inputs": inputs, "generation": service.generation}
        write_whole(self._file, json.dumps(kept))
        return {
            "uri": service.uri,
            "latestReadyRevision": revision.name,
            "generation": service.generation,
        }

    async def delete(self) -> None:
        if self.only is not None:
            await self.only.remove()
            self.only = None
        self._file.unlink(missing_ok=True)


def application(registry: Registry) -> Starlette:
    """The ASGI application behind the admin socket."""

    async def put(request: Request) -> Response:
        inputs = await request.json()
        only = registry.only
        if only is not None and only.inputs["name"] != inputs["name"]:
            told = f"this machine runs one service, and it is {only.inputs['name']}"
            return PlainTextResponse(told, 409)
        try:
            return JSONResponse(await registry.deploy(inputs))
        except InstanceError as error:
            return PlainTextResponse(str(error), 400)

    async def delete(request: Request) -> JSONResponse:
        only = registry.only
        if only is not None and only.inputs["name"] == request.path_params["name"]:
            await registry.delete()
        return JSONResponse({})

    async def list_(_: Request) -> JSONResponse:
        return JSONResponse([registry.only.as_json()] if registry.only else [])

    return Starlette(
        routes=[
            Route("/services", list_),
            Route("/services/{name}", put, methods=["PUT"]),
            Route("/services/{name}", delete, methods=["DELETE"]),
        ]
    )
