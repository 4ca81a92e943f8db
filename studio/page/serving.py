"""Serves Gradio's front end quickly, and the page in the visitor's language from the first moment.

Every file comes from memory, compressed once, and is named in the head of the page. Left to itself the browser finds
the files in five rounds, each after the scripts of the one before have run, and the server opens and compresses every
one of them again for every visitor.
"""

import json
import re
from functools import cache
from pathlib import Path

import brotli
import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.page.language import language_of

FRONT_END = Path(gr.__file__).parent / "templates" / "frontend"
TYPES = {".js": "text/javascript", ".css": "text/css"}
QUALITY = 5  # of the compression: a megabyte in 50 ms


def files_of(kinds: set[str]) -> list[str]:
    """The files of Gradio's front end that a page with these kinds of components asks for, first needed first.

    They are read from what the bundler has written into the scripts: a list of file names, and for each script that is
    loaded on demand the places in that list of what it needs. Empty where another version writes that differently: the
    page then finds its files itself.
    """
    start = re.search(r'src="\./assets/([\w-]+\.js)"', (FRONT_END / "index.html").read_text("utf-8"))
    found = on_demand(start[1]) if start else {}
    entry = [start[1], *next(iter(found.values()))] if found else []
    for name in [name for name in entry if name.endswith(".js")]:
        for script, needed in on_demand(name).items():
            if script.startswith("Blocks-"):
                entry = [*entry, *needed]
    for core in [name for name in entry if name.startswith("core-")][:1]:
        text, deps = _script(core), on_demand(core)
        for kind in sorted(kinds):
            entry_of_kind = re.search(rf"[{{,]{kind}:\{{[^{{}}]*component:\(\)=>[^{{}}]*?\./([\w-]+\.js)`", text)
            entry = [*entry, *(deps.get(entry_of_kind[1], []) if entry_of_kind else [])]
    return list(dict.fromkeys(entry))


def on_demand(name: str) -> dict[str, list[str]]:
    """{script that this one loads on demand: the files it needs, itself included}."""
    text = _script(name)
    listed = re.search(r"m\.f=\[([^\]]*)\]", text)
    files = re.findall(r'"\./([\w.-]+)"', listed[1]) if listed else []
    loads = re.findall(r"import\(`\./([\w.-]+\.js)`\)[^`]*?__vite__mapDeps\(\[([\d,]*)\]\)", text)
    return {script: [files[int(index)] for index in indices.split(",") if index] for script, indices in loads}


def _script(name: str) -> str:
    return (FRONT_END / "assets" / name).read_text("utf-8")


def head_links(files: list[str]) -> bytes:
    """What makes a browser fetch these files at once."""
    kinds = {".js": '<link rel="modulepreload" crossorigin', ".css": '<link rel="stylesheet" crossorigin'}
    return "".join(f'{kinds[Path(name).suffix]} href="./assets/{name}">' for name in files).encode()


@cache
def asset(name: str) -> tuple[bytes, bytes] | None:
    """A file of the front end, as it is and compressed."""
    if not re.fullmatch(r"[\w.-]+", name) or Path(name).suffix not in TYPES:
        return None
    file = FRONT_END / "assets" / name
    raw = file.read_bytes() if file.is_file() else None
    return None if raw is None else (raw, brotli.compress(raw, quality=QUALITY))


def speaks(language: str, words: dict[int, dict]) -> bytes:
    """A script that puts these props into the page's components before they are made."""
    words = json.dumps(words).replace("<", "\\u003c")
    # what Gradio's HTML is given beyond its own props lies one deeper
    put = """for (const { id, props } of gradio_config.components)
        for (const [name, value] of Object.entries(words[id] ?? {}))
            (name in (props.props ?? {}) ? props.props : props)[name] = value;"""
    return f"<script>{{document.documentElement.lang = '{language}'; const words = {words}; {put}}}</script>".encode()


class FrontEnd:
    """ASGI middleware: answers for Gradio's files, names them in the page, and translates it.

    kinds: of components on the page. words: {language: {id of a component: props}}, of those the page is not in.
    """

    def __init__(self, app: ASGIApp, kinds: set[str], words: dict[str, dict[int, dict]]):
        self.app = app
        self.links = head_links(files_of(kinds))
        self.scripts = {language: speaks(language, said) for language, said in words.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "") if scope["type"] == "http" and scope["method"] == "GET" else ""
        headers = Headers(scope=scope)
        small = "br" in headers.get("accept-encoding", "")
        if path.startswith("/assets/") and (found := asset(path.removeprefix("/assets/"))):
            # Their names change with their content
            about = {"cache-control": "public, max-age=31536000, immutable", "vary": "Accept-Encoding"}
            if small:
                about["content-encoding"] = "br"
            await Response(found[small], media_type=TYPES[Path(path).suffix], headers=about)(scope, receive, send)
        elif path == "/":
            await self.app(
                scope, receive, self.prepared(send, self.scripts.get(language_of(Request(scope)), b""), small)
            )
        else:
            await self.app(scope, receive, send)

    def prepared(self, send: Send, script: bytes, small: bool) -> Send:
        """`send` with the files and the script in the head of the page, compressed where the browser reads that."""
        start: Message = {}

        async def answer(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            headers = MutableHeaders(raw=start["headers"])
            if "text/html" in headers.get("content-type", "") and not message.get("more_body"):
                body = message["body"].replace(b"<head>", b"<head>" + self.links, 1)
                body = body.replace(b"</head>", script + b"</head>", 1)
                headers.add_vary_header("Accept-Language")
                if small:
                    body = brotli.compress(body, quality=QUALITY)
                    headers["content-encoding"] = "br"
                    headers.add_vary_header("Accept-Encoding")
                headers["content-length"] = str(len(body))
                message = {**message, "body": body}
            if start:
                await send(start)
                start = {}
            await send(message)

        return answer


def middleware(demo: gr.Blocks) -> Middleware:
    """`FrontEnd` for this page, for `launch(app_kwargs={"middleware": [...]})`."""
    return Middleware(FrontEnd, kinds={block.get_block_name() for block in demo.blocks.values()}, words=demo.words)
