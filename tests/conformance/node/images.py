"""Images of nothing but names, for containerd: what runs in them is mounted.

The twin's own table says which local program stands for an image and how it is called; here it
becomes an image's entrypoint. The runtime mounts the folders of these programs read-only, as
NVIDIA's runtime mounts its driver, so no image holds a file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from twin.containers.images import VLLM_PYTHON, LocalImage, resolve, short_name
from twin.engine import ROOT

SYSTEM_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
"""As Debian has them."""


def local(image: str, *, vllm_python: Path, device_plugin: Path) -> LocalImage:
    """What runs in an image."""
    known, name = resolve(image), short_name(image)
    if name == "k8s-device-plugin":
        # The emulated node's stand-in announces by a file, this one over the kubelet's socket.
        return LocalImage(
            entrypoint=(known.entrypoint[0], "-m", "tests.conformance.node.device_plugin"),
            env={"DEVICE_PLUGIN": str(device_plugin)},
        )
    if name == "vllm-openai":
        return LocalImage(entrypoint=known.entrypoint, env={VLLM_PYTHON: str(vllm_python)})
    return known


def full_name(image: str) -> str:
    """With its registry, as containerd keeps it.

    >>> full_name("vllm/vllm-openai:v1"), full_name("registry.k8s.io/pause:3.10")
    ('docker.io/vllm/vllm-openai:v1', 'registry.k8s.io/pause:3.10')
    """
    has_registry = "." in image.partition("/")[0]
    return image if has_registry else f"docker.io/{image}"


def archive(file: Path, images: Mapping[str, LocalImage], path: str) -> None:
    """Write an OCI image layout with one image for each full name; ``path`` is their PATH."""
    blobs: dict[str, bytes] = {}

    def blob(content: bytes, kind: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        media_type = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    layer = blob(_layer(), "layer.v1.tar")
    manifests: list[dict[str, object]] = []
    for name, image in images.items():
        env = {"PATH": path, "LANG": "C.UTF-8", **image.env}
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": image.entrypoint,
                "Cmd": image.cmd,
                "Env": [f"{key}={value}" for key, value in env.items()],
                "WorkingDir": str(ROOT),
            },
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": blob(json.dumps(config).encode(), "config.v1+json"),
            "layers": [layer],
        }
        described = blob(json.dumps(manifest).encode(), "manifest.v1+json")
        manifests.append(
            {**described, "annotations": {"io.containerd.image.name": full_name(name)}}
        )
    index = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    with tarfile.open(file, "w") as tar:
        _add(tar, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        _add(tar, "index.json", index)
        for digest, content in blobs.items():
            _add(tar, f"blobs/sha256/{digest}", content)


def mounted(*programs: Path) -> tuple[Path, ...]:
    """The folders that hold the programs and the project, none of them inside another."""
    folders = {Path("/usr"), ROOT, *(Path(os.path.realpath(one)) for one in programs), *programs}
    return tuple(
        sorted(one for one in folders if not any(other in one.parents for other in folders))
    )


def _layer() -> bytes:
    """A root folder with what every program expects of one."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, target in SYSTEM_LINKS.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for name, mode in (("tmp", 0o1777), ("root", 0o700), ("etc", 0o755)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        _add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    return content.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o644
    tar.addfile(entry, io.BytesIO(content))
