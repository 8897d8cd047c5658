"""A hub of one model, whatever its name and commit: as much of Hugging Face's as a download asks.

``python model_hub.py FOLDER PORT`` serves the folder's files to everybody (huggingface_hub's
``HfApi.model_info``, ``list_repo_tree`` and ``hf_hub_download``).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FILE = re.compile(r"/[^/]+/[^/]+/resolve/(?P<commit>[^/]+)/(?P<name>[^/?]+)")
LISTED = re.compile(r"/api/models/[^/]+/[^/]+/tree/")
NONE: Mapping[str, str] = {}
MODEL = re.compile(r"/api/models/(?P<id>[^/]+/[^/]+)/revision/(?P<commit>[^/?]+)")


class ModelHub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path

    def do_GET(self) -> None:
        files = {one.name: one for one in self.folder.iterdir()}
        if (found := FILE.match(self.path)) and found["name"] in files:
            body = files[found["name"]].read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()}"'
            self._answer(body, {"ETag": etag, "X-Repo-Commit": found["commit"]})
        elif LISTED.match(self.path):
            listed = [
                {"type": "file", "oid": name, "path": name, "size": file.stat().st_size}
                for name, file in files.items()
            ]
            self._answer(json.dumps(listed).encode())
        elif found := MODEL.match(self.path):
            siblings = [{"rfilename": name} for name in files]
            about = {"id": found["id"], "sha": found["commit"], "siblings": siblings}
            self._answer(json.dumps(about).encode())
        else:
            self.send_error(404)

    do_HEAD = do_GET  # noqa: N815  # the base class calls it so

    def _answer(self, body: bytes, headers: Mapping[str, str] = NONE) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


if __name__ == "__main__":
    ModelHub.folder = Path(sys.argv[1])
    ThreadingHTTPServer(("", int(sys.argv[2])), ModelHub).serve_forever()
