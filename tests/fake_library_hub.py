"""A dataset repository of our own, over HTTP on this machine: commits, an optimistic lock, and faults to order."""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlparse

REPO = "team/presets"
API = f"/api/datasets/{REPO}"


class FakeLibraryHub(ThreadingHTTPServer):
    """files: {path: bytes} of the first commit; None: there is no repository yet.

    history: all commits, the oldest first, as (sha, message, {path: bytes}).
    faults: for the next calls, in their order, that match: (a regular expression of "METHOD path", what happens): a
    status; "landed" (done, but answered with 500); "cut" (the answer breaks off half-way); "hang" (no answer for 1 s).
    refuses: a status for everything, until it is None again.
    """

    def __init__(self, files=None):
        super().__init__(("127.0.0.1", 0), Answer)
        self.history, self.faults, self.refuses, self.requests = [], [], None, []
        self.lock, self.pause = threading.Lock(), threading.Event()
        if files is not None:
            self.commit("first", files)
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Who asked does not wait any more."""

    def commit(self, message, changes):
        files = {**(self.history[-1][2] if self.history else {}), **changes}
        files = {path: data for path, data in files.items() if data is not None}
        sha = hashlib.sha1(f"{len(self.history)}{message}".encode()).hexdigest()
        self.history.append((sha, message, files))
        return sha

    @property
    def head(self):
        return self.history[-1][0]

    @property
    def files(self):
        return self.history[-1][2]

    def at(self, revision):
        return self.files if revision == "main" else next((f for sha, _, f in self.history if sha == revision), None)

    def fault(self, call):
        with self.lock:
            for number, (pattern, _) in enumerate(self.faults):
                if re.search(pattern, call):
                    return self.faults.pop(number)[1]
        return None


def blob_of(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.handle_call(b"")

    def do_GET(self):
        self.handle_call(b"")

    def do_POST(self):
        self.handle_call(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def handle_call(self, body):
        hub, path = self.server, unquote(urlparse(self.path).path)
        hub.requests.append((self.command, path, self.headers.get("authorization")))
        what = hub.refuses or hub.fault(f"{self.command} {path}")
        if what == "hang":
            self.server.pause.wait(1)
            self.close_connection = True
            return None
        if isinstance(what, int):
            return self.answer(what, b"{}", {"X-Error-Code": "RepoNotFound"} if what == 404 else {})
        status, data, headers = self.reply(path, body)
        if what == "landed":
            return self.answer(500, b"{}")
        return self.answer(status, data, headers, sent=len(data) // 2 if what == "cut" else None)

    def reply(self, path, body):
        hub = self.server
        if path == "/api/repos/create":
            with hub.lock:
                if not hub.history:
                    assert json.loads(body)["visibility"] == "private"
                    hub.commit("made", {})
            return 200, json.dumps({"url": f"{hub.endpoint}/datasets/{REPO}"}).encode(), {}
        if not hub.history:
            return 404, b"{}", {"X-Error-Code": "RepoNotFound"}
        if path == API or path == f"{API}/revision/main":
            return 200, json.dumps({"id": REPO, "sha": hub.head, "siblings": []}).encode(), {}
        if match := re.fullmatch(f"{API}/tree/(\\w+)/presets", path):
            files = hub.at(match[1])
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": blob_of(data)}
                for name, data in files.items()
                if name.startswith("presets/")
            ]
            return (200, json.dumps(tree).encode(), {}) if tree else (404, b"{}", {"X-Error-Code": "EntryNotFound"})
        if path == f"{API}/preupload/main":
            asked = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in asked]
            return 200, json.dumps({"files": modes}).encode(), {}
        if path == f"{API}/commit/main":
            return self.take_commit([json.loads(line) for line in body.splitlines()])
        if match := re.fullmatch(f"/datasets/{REPO}/resolve/(\\w+)/(.+)", path):
            data = (hub.at(match[1]) or {}).get(match[2])
            if data is None:
                return 404, b"{}", {"X-Error-Code": "EntryNotFound"}
            return 200, data, {"X-Repo-Commit": match[1], "ETag": f'"{blob_of(data)}"'}
        return 404, b"{}", {}

    def take_commit(self, lines):
        hub, header = self.server, lines[0]["value"]
        files = {line["value"]["path"]: base64.b64decode(line["value"]["content"]) for line in lines[1:]}
        with hub.lock:
            if header["parentCommit"] != hub.head:
                return (
                    412,
                    json.dumps({"error": "A commit has happened since. Please refresh and try again."}).encode(),
                    {},
                )
            sha = hub.commit(header["summary"], files)
        url = f"{hub.endpoint}/datasets/{REPO}/commit/{sha}"
        return 200, json.dumps({"commitUrl": url, "commitOid": sha, "success": True}).encode(), {}

    def answer(self, status, body, headers=None, sent=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:sent])
        if sent is not None:
            self.close_connection = True
