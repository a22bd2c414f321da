"""A model hub on the loopback that counts what it is asked, and may break off in the middle of a file."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c" * 40
LARGE = "model.bin"
"""What the hub keeps as a large file, known by its SHA-256; the others are known by Git's SHA-1."""
MODEL = {
    "config.json": b"{}",
    LARGE: b"weights" * 10_000,
    "tokenizer.json": b"[]",
    "vocabulary.txt": b"token\n" * 51_864,
    "README.md": b"not wanted",
}


@dataclass
class LoopbackHub:
    """Repositories by name, each with its files."""

    repositories: Mapping[str, Mapping[str, bytes]]
    breaks_off: str = ""
    """The file of which only the first half is sent."""
    asked: list[str] = field(default_factory=list)
    """Method and path of every request."""
    address: str = ""


@contextmanager
def serving(hub: LoopbackHub) -> Iterator[LoopbackHub]:
    """Serve *hub* on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            status, headers, body = _respond(hub, self.path)
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                is_broken = bool(hub.breaks_off) and self.path.endswith(f"/{hub.breaks_off}")
                self.wfile.write(body[: len(body) // 2] if is_broken else body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    yield hub
    server.shutdown()
    server.server_close()


def _respond(hub: LoopbackHub, path: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body as the hub's interface has them."""
    for name, files in hub.repositories.items():
        if path.startswith(f"/api/models/{name}/tree/"):
            return (
                200,
                {"Content-Type": "application/json"},
                json.dumps([_entry(*one) for one in files.items()]).encode(),
            )
        if path.startswith(f"/api/models/{name}"):
            return 200, {"Content-Type": "application/json"}, json.dumps({"id": name, "sha": COMMIT}).encode()
        file = path.rpartition("/")[2]
        if path.startswith(f"/{name}/resolve/") and file in files:
            headers = {"ETag": f'"{checksum(file, files[file])}"', "X-Repo-Commit": COMMIT}
            return 200, headers, files[file]
    return (200, {}, b"") if path == "/" else (404, {"X-Error-Code": "RepoNotFound"}, b"")


def _entry(file: str, content: bytes) -> dict[str, object]:
    entry: dict[str, object] = {
        "type": "file",
        "path": file,
        "size": len(content),
        "oid": checksum("", content),
    }
    if file == LARGE:
        entry["lfs"] = {"oid": checksum(file, content), "size": len(content), "pointerSize": 100}
    return entry


def checksum(file: str, content: bytes) -> str:
    """Return the name under which the hub's cache keeps a file."""
    if file == LARGE:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
