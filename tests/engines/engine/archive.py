# SPDX-License-Identifier: LGPL-2.1-or-later
"""A container image of one layer, as the archive that containerd imports."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

KIND = "application/vnd.oci.image"
CONFIG = {"architecture": "amd64", "os": "linux"}


class _Archive:
    """A tar file of blobs that go by their hash."""

    def __init__(self, path):
        self.tar = tarfile.open(path, "w")

    def add(self, name, data):
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        self.tar.addfile(entry, io.BytesIO(data))

    def blob(self, kind, data):
        digest = hashlib.sha256(data).hexdigest()
        self.add(f"blobs/sha256/{digest}", data)
        return {"mediaType": f"{KIND}.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    def json(self, kind, value):
        return self.blob(kind, json.dumps(value).encode())


def write(path, layer, command, tag="latest"):
    """An OCI image of a layer (a tar file) that runs a command."""
    archive = _Archive(path)
    data = Path(layer).read_bytes()
    layer = archive.blob("layer.v1.tar", data)
    config = archive.json("config.v1+json", CONFIG | {
        "config": {"Cmd": command, "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}})
    manifest = archive.json("manifest.v1+json", {
        "schemaVersion": 2, "mediaType": f"{KIND}.manifest.v1+json", "config": config, "layers": [layer]})
    manifest["annotations"] = {"org.opencontainers.image.ref.name": tag}
    archive.add("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
    archive.add("index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode())
    archive.tar.close()
    return path
