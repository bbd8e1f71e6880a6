"""A hub on this machine, for tests: serves repositories over as much of the hub's HTTP protocol as its client asks for.

What is answered: facts on a repository, its file tree, facts on given paths, and the files themselves, with the
headers and error codes that the client reads. Each request is kept, so a test can say what was asked.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from quiet_server import QuietServer

API = re.compile(r"/api/(models|datasets)/([^/]+/[^/]+?)(?:/(revision|tree|paths-info)/([^/]+))?(?:/(.*))?")
FILE = re.compile(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass(frozen=True)
class Repository:
    """Files by path, and how the hub treats them. `gated`: the status (401 or 403) of every file asked for.
    `cut`: paths of which the connection never gives more than the first half."""

    files: Mapping[str, bytes]
    gated: int = 0
    cut: frozenset[str] = frozenset()

    @property
    def commit(self) -> str:
        """The name of its only commit: 40 hex digits that depend on every file."""
        return hashlib.sha1(repr(sorted(self.files.items())).encode()).hexdigest()


@dataclass
class Hub:
    """What is served, by kind ("models", "datasets") and id. `down`: a status that answers everything, or 0."""

    url: str
    repositories: dict[tuple[str, str], Repository] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    down: int = 0

    def environment(self, home: Path, *, offline: bool = False) -> dict[str, str]:
        """Variables for a process that has this hub and no other, and its cache in `home`."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "1" if offline else "0",
            "HF_TOKEN": "",
            "HF_HUB_ETAG_TIMEOUT": "120",
            "HF_HUB_DOWNLOAD_TIMEOUT": "120",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def use_here(self, patch: pytest.MonkeyPatch, home: Path) -> None:
        """Point the client in this process, which may be loaded already, at this hub and a cache in `home`."""
        from huggingface_hub import constants
        from huggingface_hub.utils import close_session

        for name, value in self.environment(home).items():
            patch.setenv(name, value)
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        patch.setattr(constants, "ENDPOINT", self.url)
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", self.url + "/{repo_id}/resolve/{revision}/{filename}")
        patch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
        patch.setattr("datasets.config.HF_DATASETS_CACHE", str(home / "datasets"))
        close_session()


@contextmanager
def hub() -> Iterator[Hub]:
    """A hub that runs until the block ends; nothing answers at its address afterwards."""
    server = Server(("127.0.0.1", 0), Handler)
    served = Hub(f"http://127.0.0.1:{server.server_address[1]}")
    server.hub = served
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a folder as those of a repository."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class Server(QuietServer):
    """Carries the `Hub` that it serves."""

    hub: Hub


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed; `Hub.requests` has it."""

    def _answer(self) -> None:
        served: Hub = self.server.hub
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        served.requests.append(f"{self.command} {self.path}")
        path = unquote(urlsplit(self.path).path)
        if served.down:
            self._refuse(served.down, "", "The hub has a bad day")
        elif match := FILE.fullmatch(path):
            kind, name, revision, file = match.groups()
            repository = self._repository(served, kind or "models", name, revision)
            if repository is not None:
                self._file(repository, file)
        elif match := API.fullmatch(path):
            kind, name, what, revision, folder = match.groups()
            repository = self._repository(served, kind, name, revision or "main")
            if repository is not None:
                self._json(self._facts(repository, name, what, folder or "", body))
        else:
            self._refuse(404, "", "Not found")

    def _repository(self, served: Hub, kind: str, name: str, revision: str) -> Repository | None:
        """The repository asked for, or None after the refusal the hub gives."""
        repository = served.repositories.get((kind, name))
        if repository is None:
            self._refuse(401, "RepoNotFound", "Invalid username or password.")
        elif revision not in ("main", repository.commit):
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return None
        return repository

    def _facts(self, repository: Repository, name: str, what: str | None, folder: str, body: bytes) -> Any:
        if what == "tree":
            deep = parse_qs(urlsplit(self.path).query).get("recursive", [""])[0].lower() in ("true", "1")
            return _tree(repository, folder, deep)
        if what == "paths-info":
            asked = _asked(body, self.headers.get("Content-Type", ""))
            everything = {entry["path"]: entry for entry in _tree(repository, "", True)}
            return [everything[path] for path in asked if path in everything]
        return {
            "_id": repository.commit[:24],
            "id": name,
            "sha": repository.commit,
            "private": False,
            "gated": "manual" if repository.gated else False,
            "disabled": False,
            "tags": [],
            "siblings": [{"rfilename": path} for path in repository.files],
        }

    def _file(self, repository: Repository, path: str) -> None:
        if repository.gated:
            self._refuse(repository.gated, "GatedRepo", "Access to this repository is restricted.")
            return
        if path not in repository.files:
            self._refuse(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": repository.commit})
            return
        content = repository.files[path]
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{_oid(content)}"')
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        if path in repository.cut:
            self.wfile.write(content[start : len(content) // 2])
            self.close_connection = True
        else:
            self.wfile.write(content[start:])

    def _json(self, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: int, code: str, message: str, more: Mapping[str, str] | None = None) -> None:
        content = json.dumps({"error": message}).encode()
        self.send_response(status)
        named = {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json", **(more or {})}
        for name, value in named.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _tree(repository: Repository, folder: str, deep: bool) -> list[dict[str, Any]]:
    """Entries below `folder`: all files and folders, or only those directly in it."""
    prefix = f"{folder}/" if folder else ""
    found: dict[str, dict[str, Any]] = {}
    for path, content in repository.files.items():
        if not path.startswith(prefix):
            continue
        parents = [parent.as_posix() for parent in Path(path).parents][:-1]
        for parent in parents:
            if parent.startswith(prefix):
                found[parent] = {"type": "directory", "oid": _oid(parent.encode()), "size": 0, "path": parent}
        found[path] = {"type": "file", "oid": _oid(content), "size": len(content), "path": path}
    return [entry for path, entry in sorted(found.items()) if deep or "/" not in path[len(prefix) :]]


def _asked(body: bytes, content_type: str) -> list[str]:
    """The paths in a request for facts on paths, sent as JSON or as a form."""
    if "json" in content_type:
        return [str(path) for path in json.loads(body)["paths"]]
    return parse_qs(body.decode()).get("paths", [])
