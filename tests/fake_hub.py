"""A small Hub of our own, over HTTP on this machine: one repository, with every fault that a test wants."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlparse

COMMIT = "1" * 40
REPO = "team/tiny"


class FakeHub(ThreadingHTTPServer):
    """Serves {path: bytes} as the repository team/tiny; safetensors are large files, known by their SHA-256.

    cut: a path whose first answer breaks off half-way; `then` is the status from there on. held: one that is sent once
    `go` is set.
    status: what every call is answered with, if not 200; codes: what the Hub says of it. page: answered in its place.
    commit: the newest one, which main is; it has these files, as every other has.
    """

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Answer)
        self.files, self.cut, self.status, self.commit, self.requests = files, None, 200, COMMIT, []
        self.held, self.go, self.then = None, threading.Event(), 200
        self.codes, self.page = {403: "GatedRepo", 404: "RepoNotFound"}, None
        self.hashes = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Who asked does not wait any more."""

    def etag(self, path):
        return self.hashes[path] if path.endswith(".safetensors") else hashlib.sha1(self.files[path]).hexdigest()


class Answer(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        hub, path = self.server, unquote(urlparse(self.path).path)
        hub.requests.append((self.command, path, self.headers.get("Range")))
        if hub.status != 200:
            code = hub.codes.get(hub.status)
            return self.answer(hub.status, b"{}", {"X-Error-Code": code} if code else {})
        if hub.page is not None:
            return self.answer(200, hub.page)
        if path == f"/api/models/{REPO}/revision/main":
            return self.answer(200, json.dumps({"id": REPO, "sha": hub.commit, "siblings": []}).encode())
        if path.startswith(f"/api/models/{REPO}/revision/"):
            return self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        if re.fullmatch(f"/api/models/{REPO}/tree/[0-9a-f]{{40}}", path):
            return self.answer(200, json.dumps([self.entry(file) for file in hub.files]).encode())
        commit, _, file = path.removeprefix(f"/{REPO}/resolve/").partition("/")
        if file not in hub.files:
            return self.answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        self.answer_file(file, commit)

    def entry(self, file):
        entry = {"type": "file", "path": file, "size": len(self.server.files[file]), "oid": "2" * 40}
        if file.endswith(".safetensors"):
            entry["lfs"] = {"oid": self.server.hashes[file], "size": entry["size"], "pointerSize": 130}
        return entry

    def answer_file(self, file, commit):
        data = self.server.files[file]
        first = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers = {"X-Repo-Commit": commit, "ETag": f'"{self.server.etag(file)}"', "Accept-Ranges": "bytes"}
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        if self.server.held == file and self.command == "GET":
            self.server.go.wait(100)
        is_cut = self.server.cut == file and self.command == "GET"
        if is_cut:
            self.server.cut, self.server.status = None, self.server.then
        self.answer(206 if first else 200, data[first:], headers, sent=len(data) // 2 if is_cut else None)

    def answer(self, status, body, headers=None, sent=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:sent])
        if sent is not None:
            self.close_connection = True


def run(code, server, cache, **environment):
    """Run code in a process of its own, since the address of the Hub is read when its library is imported."""
    settings = {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HOME": str(cache),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_ETAG_TIMEOUT": "2",
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **settings}, capture_output=True, text=True, timeout=100
    )
    return done.stdout.strip(), done.stderr
