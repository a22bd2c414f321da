"""A real HTTP server on loopback that speaks the OpenAI chat protocol as a script tells it.

A script is a function from a request to an `Answer`; `well_behaved` is one that reads the transcript in the question
as a good model would, so that nothing but the model itself is made up.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "scripted-7b"


@dataclass(frozen=True)
class Answer:
    """What the server sends."""

    content: str = ""
    finish_reason: str = "stop"
    status: int = 200
    error: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    is_hanging: bool = False
    """The connection stays open and nothing comes, until the endpoint closes."""

    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        if self.status != 200:
            return json.dumps({"error": self.error}).encode()
        message = {"role": "assistant", "content": self.content}
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "cost": 0.001}
        head = {"id": "1", "object": "chat.completion", "created": 1, "model": MODEL}
        return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


Script = Callable[[dict[str, Any]], Answer]


@dataclass
class Running:
    """A server that answers."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of the chat requests, in order."""
    keys: list[str] = field(default_factory=list)


@contextmanager
def endpoint(script: Script, models: tuple[str, ...] = (MODEL,)) -> Iterator[Running]:
    """Serve *script* on a free port of loopback until the block ends."""
    ended = threading.Event()
    running = Running("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            listed = [{"id": one, "object": "model", "created": 1, "owned_by": "x"} for one in models]
            self._send(200, json.dumps({"object": "list", "data": listed}).encode(), {})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            running.requests.append(asked)
            running.keys.append(self.headers.get("Authorization", ""))
            answer = script(asked)
            if answer.is_hanging:
                ended.wait(60)
                self.close_connection = True
                return
            self._send(answer.status, answer.body(), answer.headers)

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    running.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield running
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def question(asked: dict[str, Any]) -> str:
    """Return what the user message of a request says."""
    return str(asked["messages"][-1]["content"])


def lines(asked: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Return number, speaker and text of the lines that are to be summarized."""
    body = question(asked).split("To be summarized:", 1)[1].split("END TRANSCRIPT", 1)[0]
    return [(int(n), who, text) for n, who, text in re.findall(r"^(\d+) (p\d+): (.*)$", body, re.MULTILINE)]


def well_behaved(asked: dict[str, Any]) -> Answer:
    """Answer like a good model whose meetings always say "I finished", "I will" and "I'm blocked by"."""
    cues = {"done": "I finished ", "next": "I will ", "blocker": "I'm blocked by "}
    return items(
        *(
            {"kind": kind, "person": who, "text": text.split(cue, 1)[1], "evidence": [number], "due": None}
            for number, who, text in lines(asked)
            for kind, cue in cues.items()
            if cue in text
        )
    )


def items(*found: dict[str, Any]) -> Answer:
    """Return an answer with these items."""
    return Answer(json.dumps({"items": found}))
