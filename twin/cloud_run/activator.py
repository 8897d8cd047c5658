"""What Caddy asks before it forwards a request while no instance is ready."""

from __future__ import annotations

import asyncio
import logging

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from twin.cloud_run.admin import Registry
from twin.cloud_run.instance import InstanceError
from twin.logs import NOT_STARTED

LOG = logging.getLogger("twin.cloud_run")


def application(registry: Registry) -> Starlette:
    """The ASGI application behind the activator's socket."""

    async def ready(_: Request) -> Response:
        """200 when an instance is ready; any other answer is the client's."""
        service = registry.only
        if service is None or service.revision is None:
            return PlainTextResponse("404. That's an error. No service is deployed.\n", 404)
        try:
            async with asyncio.timeout(service.revision.timeout_seconds):
                await service.ready()
        except TimeoutError:
            return PlainTextResponse("upstream request timeout\n", 504)
        except InstanceError as error:
            # On one line, which `last_failure` reads.
            LOG.warning("%s: %s", NOT_STARTED, " ".join(str(error).split()))
            return PlainTextResponse("Service Unavailable: no instance could be started\n", 503)
        return Response()

    return Starlette(routes=[Route("/ready", ready)])
