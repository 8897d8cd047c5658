"""The client: a library without a user interface; :mod:`app.client.page` is the page on top of it.

>>> from app.client import Client, Connection
>>> with Client(Connection.find()) as client:                              # doctest: +SKIP
...     for box in client.detect("table.jpg", "cup").boxes:
...         print(box.label, box.xyxy)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.client.asynchronous import AsyncClient
    from app.client.chat import Client
    from app.client.connection import Connection
    from app.client.errors import ClientError, ImageError, ServiceError
    from app.client.grounding.found import Box, Detection, Point
    from app.client.request import Options, Timeouts

__all__ = [
    "AsyncClient",
    "Box",
    "Client",
    "ClientError",
    "Connection",
    "Detection",
    "ImageError",
    "Options",
    "Point",
    "ServiceError",
    "Timeouts",
]
_HOMES = {
    "AsyncClient": "asynchronous",
    "Client": "chat",
    "Connection": "connection",
    **dict.fromkeys(("ClientError", "ImageError", "ServiceError"), "errors"),
    **dict.fromkeys(("Box", "Detection", "Point"), "grounding.found"),
    **dict.fromkeys(("Options", "Timeouts"), "request"),
}


def __getattr__(name: str) -> Any:
    """Import a name at its first use (PEP 562): the OpenAI SDK alone takes a second, and who needs
    an error's class or a box need not wait for it.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
