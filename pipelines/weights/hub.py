"""Folders of weights on this machine, fetched from the Hub first where they are not here yet."""

import hashlib
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.files import FULL, atomic_write
from pipelines.weights.pins import PINS

HUB_OPTIONS = ("cache_dir", "force_download", "local_files_only", "revision", "token")  # as diffusers names them
PATTERNS = ["*.json", "*.safetensors", "*.gguf", "*.model", "*.txt"]  # no pickles, no code
CONFIGURATIONS = ["*config.json", "model_index.json", "conversion.json"]  # of a model: a few kilobytes
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")  # team/name, or team/name@revision
REPOSITORY_FILE = re.compile(r"([\w.-]+/[\w.-]+(?:@[\w.-]+)?)/(.+\.safetensors)")
COMMIT, SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")
VERIFIED = "verified.txt"  # in a repository's cache: hash, size and time of the files that were found intact
PART = ".part"  # beside them there: the beginning of a large file
LARGE, AT_ONCE = 10 * 2**20, 4  # bytes; files that are fetched side by side
HELD = "held.txt"  # there too: the commit that was fetched first
BLOCK = 16 * 2**20  # bytes that are read at a time
REFUSED = (401, 403)  # answers that a login may change

FETCH_ERRORS = {
    "name": "{name} is no folder here and no Hub repository's name. Check it.",
    "gated": "{name} asks for its terms to be accepted. Do so on its page, then log in with `hf auth login`.",
    "missing": "{name} does not exist on the Hub, or needs a login. Check the name, or run `hf auth login`.",
    "revision": "{name} has no revision {revision!r}. Check it.",
    "offline": "{name} is not complete on this machine and the Hub cannot be reached. Connect to fetch the rest.",
    "login": "{name} could not be fetched: the Hub answers {status}. Log in with `hf auth login`.",
    "hub": "{name} could not be fetched: the Hub answers {status}. Try again later.",
    "broken": "The connection broke while {name} was fetched. Try again: it goes on from there.",
    "room": "{name} needs {needed:.1f} GiB, {free:.1f} are free. Free some disk space.",
    "full": "The disk became full while {name} was fetched. Free some space and try again: it goes on from there.",
    "damaged": "{file} of {name} is damaged and was removed. Fetch it again.",
    "changed": "{file} of {name} is not the file that is known by this name, and was removed. Ask who publishes it.",
    "cache": "{name} cannot be kept in {place} ({why}). Choose another folder with HF_HOME.",
    "file": "{name} holds no {file}. Look on its page how the file is called now.",
}


class FetchError(ValueError):
    """Weights that cannot be had. reason: a key of FETCH_ERRORS; values: what its sentence names."""

    def __init__(self, reason: str, **values: Any):
        super().__init__(FETCH_ERRORS[reason].format(**values))
        self.reason, self.values = reason, values


# Called with what is done ("fetch", then "check"), bytes done and bytes in all
Progress = Callable[[str, int, int], None]
_progress: ContextVar[Progress | None] = ContextVar("progress", default=None)


@contextmanager
def telling(progress: Progress | None) -> Iterator[None]:
    """Inside, in this thread, every fetch by whomever tells how far it is; `progress` is called from any thread.

    None: nothing is told.
    """
    token = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(token)


def local_folder(name: str | os.PathLike, patterns: list[str] = PATTERNS, **options) -> Path:
    """The folder `name`, or that of the repository `name` in the cache: "team/name", or "team/name@revision".

    A download needs room on the disk, shows its progress (on the terminal, and to `telling`), resumes where it was
    interrupted, is checked against hashes and is not repeated; without a network the cache is used as it is. Where no
    revision is named the repository is held to one commit: the one of pins.py, else the one that was fetched here
    first. patterns: which files; options: see HUB_OPTIONS. Raises FetchError that says what to do where nothing
    can be opened.
    """
    if Path(name).is_dir():
        return Path(name)
    if not REPOSITORY.fullmatch(str(name)):
        raise FetchError("name", name=name)
    from huggingface_hub import errors, snapshot_download

    repository, _, revision = str(name).partition("@")
    revision = revision or options.pop("revision", None)
    record = cache_of(repository, options.get("cache_dir")) / HELD
    commit = revision or held_commit(repository, record)
    wanted = {"repo_id": repository, "allow_patterns": patterns, **options, **({"revision": commit} if commit else {})}
    try:
        large, needed = to_fetch(name, wanted)
        count = _Count(needed)
        fetch_large(repository, large, options.get("token"), count)
        folder = Path(snapshot_download(**wanted, tqdm_class=_bar(count)))
    except errors.GatedRepoError as error:
        raise FetchError("gated", name=name) from error
    except errors.RepositoryNotFoundError as error:
        raise FetchError("missing", name=name) from error
    except errors.RevisionNotFoundError as error:
        raise FetchError("revision", name=repository, revision=commit) from error
    except errors.LocalEntryNotFoundError as error:
        status = getattr(getattr(error.__cause__, "response", None), "status_code", None)
        if status is None:
            raise FetchError("offline", name=name) from error
        raise FetchError("login" if status in REFUSED else "hub", name=name, status=status) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        raise FetchError("login" if status in REFUSED else "hub", name=name, status=status) from error
    except (KeyError, json.JSONDecodeError) as error:  # what answers is no Hub: a network's login page, perhaps
        raise FetchError("offline", name=name) from error
    except errors.HTTPError as error:  # of the library's own client: a connection that ends half-way
        raise FetchError("broken", name=name) from error
    except OSError as error:
        if error.errno in FULL:
            raise FetchError("full", name=name) from error
        if error.errno is None:  # the library's sentence about a file that did not come whole
            raise FetchError("broken", name=name) from error
        raise FetchError("cache", name=name, place=record.parent.parent, why=error.strerror) from error
    pin = PINS.get(repository)
    check_hashes(name, folder, pin.sha256 if pin and folder.name == pin.revision else {})
    if not commit:
        # a cache that cannot be written to does not move on either
        with suppress(OSError), atomic_write(record) as temporary:
            temporary.write_text(folder.name)
            told = f"{repository} is held to commit {folder.name}, the first that was fetched here"
            print(f"note: {told}: nobody has published its hashes.", file=sys.stderr)
    return folder


def local_file(name: str | os.PathLike, **options) -> Path:
    """The file or folder `name`, or that file of a repository, "team/name/file.safetensors", fetched like a folder.

    options: as of `local_folder`.
    """
    asked = REPOSITORY_FILE.fullmatch(str(name))
    if Path(name).exists() or not asked:
        return Path(name)
    repository, file = asked.groups()
    found = local_folder(repository, [file], **options) / file
    if not found.is_file():
        raise FetchError("file", name=repository, file=file)
    return found


def cache_of(repository: str, cache_dir: str | os.PathLike | None = None) -> Path:
    """Where the library keeps a repository."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(cache_dir or constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model")


def held_commit(repository: str, record: Path) -> str | None:
    """The commit that a repository is held to, if any. record: where the one that was fetched first is written."""
    if repository in PINS:
        return PINS[repository].revision
    commit = record.read_text().strip() if record.is_file() else ""
    return commit if COMMIT.fullmatch(commit) else None


def to_fetch(name: str | os.PathLike, wanted: dict) -> tuple[list[tuple[Any, Path]], int]:
    """Large files that are not here yet, each the library's facts and its place in the cache; bytes to come of all.

    Nothing without a network. Raises FetchError where there is no room for them.
    """
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_url, snapshot_download

    try:
        files = [file for file in snapshot_download(**wanted, dry_run=True) if file.will_download]
    except errors.DryRunError:
        return [], 0
    repository, cache = wanted["repo_id"], cache_of(wanted["repo_id"], wanted.get("cache_dir"))
    large = []
    for file in (file for file in files if (file.file_size or 0) >= LARGE):
        url = hf_hub_url(repository, file.filename, revision=file.commit_hash)
        etag = get_hf_file_metadata(url, token=wanted.get("token")).etag
        large.append((file, cache / "blobs" / etag))
    needed = sum(file.file_size or 0 for file in files) - sum(bytes_here(blob, file.file_size) for file, blob in large)
    free = shutil.disk_usage(next(folder for folder in (cache, *cache.parents) if folder.exists())).free
    if needed > free:
        raise FetchError("room", name=name, needed=needed / 2**30, free=free / 2**30)
    return large, needed


def bytes_here(blob: Path, size: int) -> int:
    """Of a large file: all of it, what an earlier run fetched, or nothing; what is longer is not its beginning."""
    part = part_of(blob)
    return size if blob.exists() else begun if part.exists() and (begun := part.stat().st_size) <= size else 0


def part_of(blob: Path) -> Path:
    return blob.with_name(blob.name + PART)


def fetch_large(repository: str, files: list[tuple[Any, Path]], token: str | bool | None, count: "_Count") -> None:
    """Fetch large files into the library's cache, each going on where an earlier run stopped.

    The library itself begins a file again from its first byte whenever it failed.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import WeakFileLock, build_hf_headers

    def fetch(file, blob: Path) -> None:
        part = part_of(blob)
        part.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(part.with_suffix(".lock")):
            if blob.exists():
                return
            with part.open("r+b" if part.exists() else "wb") as opened:
                start = opened.seek(bytes_here(blob, file.file_size))
                opened.truncate()
                url = hf_hub_url(repository, file.filename, revision=file.commit_hash)
                told, headers = _Told(opened, count), build_hf_headers(token=token)
                http_get(url, told, resume_size=start, headers=headers, expected_size=file.file_size)
            os.replace(part, blob)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            for done in as_completed([threads.submit(fetch, *one) for one in files]):
                done.result()
        except BaseException:  # one failed, or somebody stops it all: the others end too, and keep what they have
            count.stopped = True
            threads.shutdown(wait=False, cancel_futures=True)
            raise


class _Stopped(Exception):
    """Another file's end is that of this one."""


class _Count:
    """Bytes that have come of those needed, told to `telling`; files are fetched side by side, and stopped together."""

    def __init__(self, needed: int):
        self.needed, self.done, self.lock, self.progress = needed, 0, threading.Lock(), _progress.get()
        self.stopped = False

    def add(self, number: int) -> None:
        if self.progress is not None and self.needed:
            with self.lock:
                self.done = min(self.done + number, self.needed)
                self.progress("fetch", self.done, self.needed)


class _Told:
    """A file that tells what is written to it."""

    def __init__(self, file: BinaryIO, count: _Count):
        self.file, self.count = file, count

    def write(self, data: bytes) -> int:
        if self.count.stopped:
            raise _Stopped
        self.count.add(len(data))
        return self.file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _bar(count: _Count) -> type:
    """The library's progress bar, which tells `telling` too."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *args, **kwargs):
            # one bar counts bytes on the disk; the others count files, and bytes on the wire, which may be compressed
            self.counts = kwargs.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*args, **kwargs)

        def update(self, n=1):
            if self.counts:
                count.add(int(n or 0))
            return super().update(n)

    return Bar


def check_hashes(name: str | os.PathLike, folder: Path, known: Mapping[str, str] | None = None) -> None:
    """Compare large files with their SHA-256, once each. Raises FetchError for a wrong one, which is removed.

    known: path in the folder -> SHA-256 that the file must have; of others the Hub has told it.
    """
    record = folder.parent.parent / VERIFIED
    verified = set(record.read_text().splitlines()) if record.exists() else set()
    blobs = {file: file.resolve() for file in sorted(folder.rglob("*"))}
    # the cache names large files by their hash
    hashes = {file: blob.name for file, blob in blobs.items() if SHA256.fullmatch(blob.name)}
    for file in blobs:
        expected = (known or {}).get(file.relative_to(folder).as_posix())
        if expected and hashes.get(file, expected) != expected:
            _remove(file, blobs[file])
            raise FetchError("changed", file=file.name, name=name)
        if expected:
            hashes[file] = expected
    facts = {file: _facts(digest, blobs[file]) for file, digest in hashes.items()}
    unverified = [file for file in facts if facts[file] not in verified]
    progress, done, needed = _progress.get(), 0, sum(blobs[file].stat().st_size for file in unverified)
    for file in unverified:
        digest = hashlib.sha256()
        with blobs[file].open("rb") as opened:
            while block := opened.read(BLOCK):
                digest.update(block)
                done += len(block)
                if progress is not None:
                    progress("check", done, needed)
        if digest.hexdigest() != hashes[file]:
            _remove(file, blobs[file])
            raise FetchError("damaged", file=file.name, name=name)
        verified.add(facts[file])
        with suppress(OSError):  # a cache that cannot be written to is checked again next time
            record.write_text("\n".join(sorted(verified)))


def _remove(*files: Path) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _facts(digest: str, blob: Path) -> str:
    return f"{digest} {blob.stat().st_size} {blob.stat().st_mtime_ns}"
