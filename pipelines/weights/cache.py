"""The Hub's cache on this machine: the commit that a repository is held to, and which files were found intact."""

import hashlib
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path

from pipelines.files import atomic_write
from pipelines.weights.errors import FetchError
from pipelines.weights.pins import PINS
from pipelines.weights.progress import listener

COMMIT, SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")
HELD = "held.txt"  # in a repository's cache: the commit that was fetched first
VERIFIED = "verified.txt"  # there too: hash, size and time of the files that were found intact
BLOCK = 16 * 2**20  # bytes that are read at a time


def cache_of(repository: str, cache_dir: str | PathLike | None = None) -> Path:
    """The folder in which huggingface_hub keeps a repository."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name  # no public way; the layout itself is documented

    return Path(cache_dir or constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model")


# ---- one commit -------------------------------------------------------------------------------------------------


def held_commit(repository: str, cache: Path) -> str | None:
    """The commit that a repository is held to: the one of pins.py, else the one that was fetched first; or None."""
    if repository in PINS:
        return PINS[repository].revision
    record = cache / HELD
    commit = record.read_text().strip() if record.is_file() else ""
    return commit if COMMIT.fullmatch(commit) else None


def hold_to(repository: str, cache: Path, commit: str) -> None:
    """Hold a repository to the commit that was just fetched, and say so on stderr."""
    with suppress(OSError), atomic_write(cache / HELD) as temporary:  # a read-only cache does not move on either
        temporary.write_text(commit)
        first = f"{repository} is held to commit {commit}, the first that was fetched here"
        print(f"note: {first}: nobody has published its hashes.", file=sys.stderr)


# ---- intact files -----------------------------------------------------------------------------------------------


def check_hashes(name: str | PathLike, folder: Path, known: Mapping[str, str] | None = None) -> None:
    """Compare large files with their SHA-256, once each. Raises FetchError for a wrong one, which is removed.

    name: of the repository, for the sentence. folder: a commit's, in the cache. known: path in the folder -> SHA-256
    that the file must have; other files must have the one that the Hub gave.
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
            raise FetchError(
                "{file} of {name} is not the file that is known by this name, and was removed. Ask who publishes it.",
                file=file.name,
                name=name,
            )
        if expected:
            hashes[file] = expected
    facts = {file: _facts(digest, blobs[file]) for file, digest in hashes.items()}
    unverified = [file for file in facts if facts[file] not in verified]
    progress, done, needed = listener(), 0, sum(blobs[file].stat().st_size for file in unverified)
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
            raise FetchError("{file} of {name} is damaged and was removed. Fetch it again.", file=file.name, name=name)
        verified.add(facts[file])
        with suppress(OSError), atomic_write(record) as temporary:  # a read-only cache is checked again next time
            temporary.write_text("\n".join(sorted(verified)))


def _remove(*files: Path) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _facts(digest: str, blob: Path) -> str:
    return f"{digest} {blob.stat().st_size} {blob.stat().st_mtime_ns}"
