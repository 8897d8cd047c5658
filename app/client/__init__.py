"""The client: a library without a user interface; :mod:`app.client.page` is the page on top of it.

>>> from app.client import Client, Connection
>>> with Client(Connection.find()) as client:                              # doctest: +SKIP
...     for box in client.detect("table.jpg", "cup").boxes:
...         print(box.label, box.xyxy)
"""

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
