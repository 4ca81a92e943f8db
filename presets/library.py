"""Where a team's presets are kept: one small protocol, and the folder on this machine that fulfils it.

A library keeps a record per preset (records.py), as one JSON file, and a thumbnail beside it:

    presets/<id>.json    the record: every version, the newest last
    presets/<id>.webp    the thumbnail, optional

The same files are those of a Hub dataset repository (hub_library.py). What may be changed, and how, is the business of
records.py: a library only runs such a change on the newest record it has and keeps the result, whole or not at all.
"""

import json
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from filelock import FileLock, Timeout

from pipelines.errors import Refused, Sentence
from pipelines.files import atomic_write
from presets.reading import checked, parse_json
from presets.records import MAX_RECORD_BYTES, MAX_VERSIONS, Record, Version

FOLDER = "presets"  # in the library
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_RECORDS = 2000
MAX_THUMBNAIL_BYTES = 64 * 1024
FIELDS = 2_000_000  # of a record: a thousand versions of a long path
PATIENCE = 20.0  # seconds to wait for another process that is writing
STALE = 3600  # seconds after which a temporary file belongs to nobody

Stamp = tuple[int, int, int]  # of a file: another one after every change
Edit = Callable[[Record | None], Version | None]


@dataclass(frozen=True)
class Catalogue:
    """Everything a library holds. refused: what cannot be used, with the sentence that says why, by id."""

    records: dict[str, Record]
    refused: dict[str, Sentence] = field(default_factory=dict)


class Status(NamedTuple):
    """How a library stands. name: as the page calls it. online: it is the shared one that is read and written; a folder
    is always online. waiting: changes that are kept here until they can be sent. reason: why it is not online."""

    name: str
    online: bool
    waiting: int
    reason: Sentence | None


class Library(Protocol):
    """Everything the page, the command line and the API know of a library."""

    def catalogue(self) -> Catalogue:
        """What the library holds now."""

    def record(self, id: str) -> Record:
        """Raises Refused where there is none, or where it cannot be read."""

    def change(self, id: str, edit: Edit, thumbnail: bytes | None = None) -> Record:
        """Runs `edit` on the newest record (None where there is none yet) and adds the version it makes, if any.

        Nobody else's change comes in between. Raises what `edit` raises, and OSError where nothing can be written; then
        nothing has changed. thumbnail: WebP, at most 64 KiB.
        """

    def thumbnail(self, id: str) -> bytes | None:
        """The WebP that was kept with the preset."""

    def status(self) -> Status: ...


class LocalLibrary:
    """A folder on this machine. Several processes may read and write it at once.

    Raises OSError with one sentence where the folder cannot be made.
    """

    def __init__(self, folder: Path | str):
        self.folder = Path(folder) / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder.parent / ".lock", timeout=PATIENCE)
        self._read: dict[str, tuple[Stamp, Record | Refused]] = {}
        self._sweep()

    def catalogue(self) -> Catalogue:
        records, refused = {}, {}
        for id in self.ids():
            with suppress(FileNotFoundError):  # taken away by hand just now
                try:
                    records[id] = self._load(id)
                except Refused as error:
                    refused[id] = error.sentence
        return Catalogue(records, refused)

    def record(self, id: str) -> Record:
        found = self.find(id)
        if found is None:
            raise Refused("The library has no preset {id:.60}. Reload the page.", id=id)
        return found

    def find(self, id: str) -> Record | None:
        """The record, None where there is none. Raises Refused where it cannot be read."""
        try:
            return self._load(checked_id(id))
        except FileNotFoundError:
            return None

    def change(self, id: str, edit: Edit, thumbnail: bytes | None = None) -> Record:
        checked_id(id)
        check_thumbnail(thumbnail)
        with self.locked():
            record = self.find(id)
            version = edit(record)
            if version is not None:
                record = Record(id=id, versions=(version,)) if record is None else record.joined((version,))
                self.keep(record, thumbnail)
        if record is None:
            raise Refused("The library has no preset {id:.60}. Reload the page.", id=id)
        return record

    def join(self, record: Record, thumbnail: bytes | None = None) -> Record:
        """Adds the versions of another copy of a record; those of `record` come first, as they arrived there."""
        with self.locked():
            here = self.find(record.id)
            both = record if here is None else record.joined(here.versions)
            if both != here or thumbnail not in (None, self.thumbnail(record.id)):
                self.keep(both, thumbnail)
        return both

    def keep(self, record: Record, thumbnail: bytes | None = None) -> None:
        """Writes a record as it is, whole or not at all. For who holds the lock."""
        if thumbnail is not None:
            _write(self.path(record.id).with_suffix(".webp"), thumbnail)
        _write(path := self.path(record.id), encoded(record))
        self._read[record.id] = _stamp(path.stat()), record

    def thumbnail(self, id: str) -> bytes | None:
        path = self.path(checked_id(id)).with_suffix(".webp")
        return path.read_bytes() if path.is_file() and path.stat().st_size <= MAX_THUMBNAIL_BYTES else None

    def status(self) -> Status:
        return Status("", True, 0, None)

    def ids(self) -> list[str]:
        """Of all files that could be records, in order."""
        found = sorted(path.stem for path in self.folder.glob("*.json") if ID.fullmatch(path.stem))
        if len(found) > MAX_RECORDS:
            raise Refused(
                "The library holds {count} presets, at most {limit} are read. Move some files of {folder} elsewhere.",
                count=len(found),
                limit=MAX_RECORDS,
                folder=FOLDER,
            )
        return found

    def path(self, id: str) -> Path:
        return self.folder / f"{id}.json"

    def locked(self) -> FileLock:
        """To be held while a record is read, changed and written. One that waits too long says so."""
        try:
            return self._lock.acquire()
        except Timeout as error:
            raise Refused(
                "Another program has been writing the library for {seconds:.0f} seconds. Try again.", seconds=PATIENCE
            ) from error

    def _load(self, id: str) -> Record:
        """The record, read again only where its file has changed. Raises FileNotFoundError, Refused."""
        path = self.path(id)
        known = self._read.get(id)
        if known is None or known[0] != _stamp(path.stat()):
            with path.open("rb") as file:
                stamp, data = _stamp(os.fstat(file.fileno())), file.read(MAX_RECORD_BYTES + 1)
            try:
                known = stamp, decoded(data, id)
            except Refused as error:
                known = stamp, error
            self._read[id] = known
        if isinstance(known[1], Refused):
            raise known[1]
        return known[1]

    def _sweep(self) -> None:
        """Temporary files of programs that were ended while they wrote."""
        for path in self.folder.glob(".*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > STALE:
                    path.unlink()


def _stamp(file: os.stat_result) -> Stamp:
    return file.st_ino, file.st_mtime_ns, file.st_size


def encoded(record: Record) -> bytes:
    """A record's file: UTF-8 JSON, a version a line, so that differences read well. Refuses one that is too long."""
    versions = ",\n".join(version.model_dump_json(by_alias=True) for version in record.versions)
    data = f'{{"schema": 1, "id": {json.dumps(record.id)}, "versions": [\n{versions}\n]}}\n'.encode()
    if len(data) > MAX_RECORD_BYTES:
        raise Refused(
            "The preset {name} has {count} versions, the limit is {limit}. Duplicate it and go on with the copy.",
            name=record.name,
            count=len(record.versions),
            limit=MAX_VERSIONS,
        )
    return data


def decoded(data: bytes, id: str) -> Record:
    """The record in the bytes of its file. Raises Refused, LaterSchema."""
    name = f"{id}.json"
    record = checked(Record, parse_json(data, name, MAX_RECORD_BYTES, FIELDS), name)
    if record.id != id:
        raise Refused("{file} holds the preset {id!r}. Rename the file to {id}.json.", file=name, id=record.id)
    return record


def checked_id(id: str) -> str:
    """An id as a file may be called. Raises Refused."""
    if not isinstance(id, str) or len(id) > 48 or not ID.fullmatch(id):
        raise Refused("{id!r:.60} is no preset's id. Reload the page.", id=id)
    return id


def check_thumbnail(data: bytes | None) -> None:
    """Raises Refused for what is no small WebP."""
    if data is not None and (len(data) > MAX_THUMBNAIL_BYTES or data[:4] != b"RIFF" or data[8:12] != b"WEBP"):
        raise Refused("A thumbnail is a WebP of at most {limit} bytes. Make it smaller.", limit=MAX_THUMBNAIL_BYTES)


def _write(path: Path, data: bytes) -> None:
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
