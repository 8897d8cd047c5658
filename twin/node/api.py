"""The API server as the node sees it."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import yaml

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


class Api:
    """Typed as far as JSON is; errors of the API server raise ``httpx2.HTTPStatusError``."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        token = config["users"][0]["user"]["token"]
        self._http = httpx2.AsyncClient(
            base_url=cluster["server"],
            verify=ssl.create_default_context(cafile=cluster["certificate-authority"]),
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx2.Timeout(10, read=60),
            trust_env=False,
        )

    async def get(self, path: str, **params: str) -> Any | None:
        """The object, or ``None`` when there is none."""
        found = await self._http.get(path, params=params)
        return None if found.status_code == 404 else found.raise_for_status().json()

    async def post(self, path: str, body: Any) -> bool:
        """Create; whether it was new."""
        made = await self._http.post(path, json=body)
        if made.status_code == 409:
            return False
        made.raise_for_status()
        return True

    async def patch(self, path: str, body: Any, kind: str = MERGE, **params: str) -> bool:
        """Patch; whether the object was there."""
        headers = {"Content-Type": kind}
        done = await self._http.patch(
            path, content=json.dumps(body), headers=headers, params=params
        )
        if done.status_code == 404 and kind == MERGE:
            return False
        done.raise_for_status()
        return True

    async def delete_at_once(self, path: str, uid: str) -> None:
        """Delete without grace, if it is still the same object."""
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        gone = await self._http.request("DELETE", path, json=body)
        if gone.status_code not in (404, 409):
            gone.raise_for_status()

    async def watch(self, path: str, **params: str) -> AsyncGenerator[tuple[str, Any]]:
        """Everything there is as ADDED, then every change, until the server ends the watch.

        RELISTED comes after the first part, with the list of all objects, so that what was
        deleted between two watches is noticed.
        """
        listed = (await self._http.get(path, params=params)).raise_for_status().json()
        for item in listed["items"]:
            yield "ADDED", item
        yield "RELISTED", listed["items"]
        version = listed["metadata"]["resourceVersion"]
        more = {**params, "watch": "true", "resourceVersion": version, "timeoutSeconds": "55"}
        async with self._http.stream("GET", path, params=more) as events:
            events.raise_for_status()
            async for line in events.aiter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]
