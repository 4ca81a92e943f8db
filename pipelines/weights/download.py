"""Large files from the Hub, several side by side, each going on where an earlier run stopped."""

import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.weights.cache import cache_of
from pipelines.weights.errors import FetchError, unreachable
from pipelines.weights.progress import listener

PART = ".part"  # of a file's name in the cache while only its beginning is there
LARGE, AT_ONCE = 10 * 2**20, 4  # bytes from which a file is fetched here; files that are fetched side by side


class Count:
    """Bytes that have come of those needed, reported as they come; and whether all downloads are to stop."""

    def __init__(self, needed: int):
        self.needed, self.done, self.lock, self.progress = needed, 0, threading.Lock(), listener()
        self.stopped = False

    def add(self, number: int) -> None:
        if self.progress is not None and self.needed:
            with self.lock:
                self.done = min(self.done + number, self.needed)
                self.progress("fetch", self.done, self.needed)


def files_to_fetch(name: str | os.PathLike, wanted: dict) -> tuple[list[tuple[Any, Path]], int]:
    """Large files that are not here yet, each what huggingface_hub knows of it and its path in the cache; bytes to come
    of all files.

    name: as it was given, for the sentence. wanted: arguments of `huggingface_hub.snapshot_download`. Nothing without a
    network. Raises FetchError where the disk has no room for them.
    """
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_url, snapshot_download

    try:
        files = [file for file in snapshot_download(**wanted, dry_run=True) if file.will_download]
    except errors.DryRunError:
        return [], 0
    except (KeyError, json.JSONDecodeError) as error:  # what answers is no Hub: a network's login page, perhaps
        raise unreachable(name) from error
    repository, cache = wanted["repo_id"], cache_of(wanted["repo_id"], wanted.get("cache_dir"))
    large = []
    for file in (file for file in files if (file.file_size or 0) >= LARGE):
        url = hf_hub_url(repository, file.filename, revision=file.commit_hash)
        etag = get_hf_file_metadata(url, token=wanted.get("token")).etag
        large.append((file, cache / "blobs" / etag))
    needed = sum(file.file_size or 0 for file in files) - sum(bytes_here(blob, file.file_size) for file, blob in large)
    free = shutil.disk_usage(next(folder for folder in (cache, *cache.parents) if folder.exists())).free
    if needed > free:
        raise FetchError(
            "{name} needs {needed:.1f} GiB, {free:.1f} are free. Free some disk space.",
            name=name,
            needed=needed / 2**30,
            free=free / 2**30,
        )
    return large, needed


def bytes_here(blob: Path, size: int) -> int:
    """Of a large file: all of it, what an earlier run fetched, or nothing; what is longer is not its beginning."""
    part = part_of(blob)
    return size if blob.exists() else begun if part.exists() and (begun := part.stat().st_size) <= size else 0


def part_of(blob: Path) -> Path:
    return blob.with_name(blob.name + PART)


def fetch_large(repository: str, files: list[tuple[Any, Path]], token: str | bool | None, count: Count) -> None:
    """Fetch what `files_to_fetch` lists into the cache. One that fails, or Ctrl-C, stops the others; all keep what they
    have.

    huggingface_hub itself begins a file again from its first byte whenever it failed.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get  # not documented; the public functions cannot resume a file
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
                counted, headers = CountedFile(opened, count), build_hf_headers(token=token)
                http_get(url, counted, resume_size=start, headers=headers, expected_size=file.file_size)
            os.replace(part, blob)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            for done in as_completed([threads.submit(fetch, *one) for one in files]):
                done.result()
        except BaseException:
            count.stopped = True
            threads.shutdown(wait=False, cancel_futures=True)
            raise


class Stopped(Exception):
    """Another download has failed, so this one ends too."""


class CountedFile:
    """A file whose written bytes are counted."""

    def __init__(self, file: BinaryIO, count: Count):
        self.file, self.count = file, count

    def write(self, data: bytes) -> int:
        if self.count.stopped:
            raise Stopped
        self.count.add(len(data))
        return self.file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def counting_bar(count: Count) -> type:
    """The progress bar of huggingface_hub, which counts the bytes of small files too."""
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
