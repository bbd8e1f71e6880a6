"""An OpenAI-compatible endpoint on this machine, for tests: answers as a test says, wrongly where it says so, and keeps
every request with its headers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from quiet_server import QuietServer

KEY = "sk-test-0123456789abcdefghij"


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def question(self) -> str:
        """What the user says, or the plain prompt."""
        return str(self.body["messages"][-1]["content"] if "messages" in self.body else self.body["prompt"])

    @property
    def is_check(self) -> bool:
        """Whether it is the request with which a run sees whether the endpoint is there."""
        return "Count from 1" in self.question


@dataclass(frozen=True)
class Says:
    """One answer. `content`: JSON, or bytes as they are. `stall`: give nothing until the server ends; `cut`: half of
    the content, then the connection breaks."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stall: bool = False
    cut: bool = False


def chat(text: Any = "It is 4.", finish: Any = "stop", model: str = "m", **more: Any) -> dict[str, Any]:
    """The answer of a server that does as it should, but for what a test changes."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    said = {"id": "x", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}
    return {**said, "system_fingerprint": "fp_1", **more}


def plain(text: str, finish: str = "stop", model: str = "m") -> dict[str, Any]:
    """The same of the plain interface."""
    return {**chat(model=model), "choices": [{"index": 0, "text": text, "finish_reason": finish}]}


Answer = Callable[[Asked, int], Any]  # a request and how many were before it -> Says, or JSON for the status 200


@dataclass
class Service:
    """What is served, and what was asked."""

    url: str
    answer: Answer
    asked: list[Asked] = field(default_factory=list)
    models: tuple[str, ...] = ("m",)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def questions(self) -> list[str]:
        """What was asked but for checks, in the order it came."""
        return [one.question for one in self.asked if one.path.endswith("/completions") and not one.is_check]


@contextmanager
def endpoint(answer: Answer = lambda asked, count: chat()) -> Iterator[Service]:
    """A service that runs until the block ends."""
    server = Server(("127.0.0.1", 0), Handler)
    server.service = service = Service(f"http://127.0.0.1:{server.server_address[1]}/v1", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Server(QuietServer):
    """Carries the `Service`."""

    request_queue_size = 64
    service: Service
    lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        service = self.server.service
        service.asked.append(Asked(self.path, dict(self.headers), {}))
        self._say(Says({"object": "list", "data": [{"id": name, "object": "model"} for name in service.models]}))

    def do_POST(self) -> None:
        service = self.server.service
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        asked = Asked(self.path, {key.lower(): value for key, value in self.headers.items()}, body)
        with self.server.lock:
            count = len(service.asked)
            service.asked.append(asked)
        said = service.answer(asked, count)
        self._say(said if isinstance(said, Says) else Says(said))

    def _say(self, said: Says) -> None:
        if said.stall:
            self.server.service.over.wait(60)
            self.close_connection = True
            return
        content = said.content if isinstance(said.content, bytes) else json.dumps(said.content).encode()
        self.send_response(said.status)
        for name, value in {"Content-Type": "application/json", **said.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if said.cut else content)
        if said.cut:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed; `Service.asked` has it."""
