"""The library in a dataset repository of the Hub: the same files, a commit per change, and a copy on this machine.

What is read is the copy, so the page never waits for the Hub. A change is written to the copy and to a queue on disk
first, and then sent: it survives a restart, and what cannot be sent now is sent later, in order. Since a record is a
set of versions (records.py), sending is "read the newest, add ours, commit on top of what was read": where somebody
else was quicker the Hub refuses (409 or 412) and it is read again. A commit that landed behind an error is found by its
version's key and not sent twice.

The token is the machine's own (HF_TOKEN, or `hf auth login`), never a visitor's.
"""

import json
import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from filelock import FileLock
from huggingface_hub import CommitOperationAdd, HfApi, set_client_factory
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.utils._http import default_client_factory

from pipelines.errors import Refused, Sentence
from pipelines.files import atomic_write
from presets.library import FOLDER, ID, MAX_RECORDS, Catalogue, Edit, LocalLibrary, Status, decoded, encoded
from presets.reading import parse_json
from presets.records import MAX_RECORD_BYTES, Record, Version

TIMEOUT = httpx2.Timeout(20.0, connect=5.0)  # seconds; the Hub's own client would wait for ever
FRESH = 20.0  # seconds for which the copy counts as new
ANSWER = 4.0  # seconds that a change waits to be sent before the page hears that it will be
TRIES = 30  # commits on top of each other's, before others are let through
FILE = re.compile(rf"{FOLDER}/{ID.pattern}\.(json|webp)")  # of the library; what else lies there is left alone
MOVED = (409, 412)  # somebody else has committed since


class Waiting(NamedTuple):
    """A change in the queue: a file <number>-<id>-<key>.json, empty; the version itself stands in the copy."""

    path: Path
    id: str
    key: str


class HubLibrary:
    """team/name, a dataset repository. folder: for the copy and the queue. endpoint: another Hub than the public one.

    The repository is made at the first change, private, where there is none.
    """

    def __init__(self, repository: str, folder: Path | str, endpoint: str | None = None, token: str | None = None):
        set_client_factory(_client)
        self.repository = repository
        self.folder = Path(folder) / repository.replace("/", "--")
        self.copy = LocalLibrary(self.folder)
        self.queue = self.folder / "queue"
        self.queue.mkdir(exist_ok=True)
        self._api = HfApi(endpoint=endpoint, token=token)
        self._lock = FileLock(self.folder / ".sync")  # one process sends at a time
        self._syncing: threading.Thread | None = None
        self._guard = threading.Lock()
        self._synced = -FRESH
        self._reason: Sentence | None = Sentence("The Hub has not been asked yet.")

    # ---- the protocol -----------------------------------------------------------------------------------------------

    def catalogue(self) -> Catalogue:
        self._keep_fresh()
        return self.copy.catalogue()

    def record(self, id: str) -> Record:
        return self.copy.record(id)

    def thumbnail(self, id: str) -> bytes | None:
        return self.copy.thumbnail(id)

    def change(self, id: str, edit: Edit, thumbnail: bytes | None = None) -> Record:
        before: set[str] = set()

        def noted(record: Record | None) -> Version | None:
            version = edit(record)
            if version is not None:  # in the queue first: what is queued and not kept is dropped, never the reverse
                self._put(id, version.key)
                before.add(version.key)
            return version

        record = self.copy.change(id, noted, thumbnail)
        if before:
            self._start().join(ANSWER)
        return self.copy.record(id) if before else record

    def join(self, record: Record, thumbnail: bytes | None = None) -> Record:
        """Adds the versions of another copy of a record, behind those that are here. `sync` sends them."""
        with self.copy.locked():
            here = self.copy.find(record.id)
            both = here.joined(record.versions) if here else record
            if both != here:
                self._put(record.id, both.versions[-1].key)
                self.copy.keep(both, thumbnail)
        return both

    def status(self) -> Status:
        self._keep_fresh()
        waiting = len(self._waiting())
        return Status(self.repository, self._reason is None, waiting, self._reason)

    # ---- coming and going -------------------------------------------------------------------------------------------

    def sync(self) -> Status:
        """Fetch what is new and send what waits. What goes wrong is in the answer's `reason`, and nothing is lost."""
        with self._lock:
            reasons = []
            try:
                with _in_words(self.repository):
                    self._pull()
                    for change in self._waiting():
                        try:
                            self._send(change)
                        except Refused as error:  # this one cannot be sent; the next ones may
                            reasons.append(error.sentence)
            except Refused as error:
                reasons.append(error.sentence)
            self._reason = reasons[0] if reasons else None
            self._synced = time.monotonic()
        return Status(self.repository, self._reason is None, len(self._waiting()), self._reason)

    def _keep_fresh(self) -> None:
        if time.monotonic() - self._synced > FRESH:
            self._start()

    def _start(self) -> threading.Thread:
        """A sync in the background that begins after this call; one that runs is followed by another."""
        with self._guard:
            before = self._syncing

            def run() -> None:
                if before is not None:
                    before.join()
                self.sync()

            self._synced = time.monotonic()
            self._syncing = threading.Thread(target=run, daemon=True, name="library")
            self._syncing.start()
            return self._syncing

    def _pull(self) -> str | None:
        """Bring the copy up to the repository's newest commit, which is returned; None where there is no repository."""
        try:
            head = self._head()
        except RepositoryNotFoundError as error:
            if error.response.status_code in (401, 403):
                raise
            return None
        known = self._known()
        if head == known["head"]:
            return head
        blobs = self._blobs(head)
        waiting = {change.id for change in self._waiting()}
        for path, blob in blobs.items():
            if known["blobs"].get(path) != blob:
                self._take(path, self._fetched(path, head), Path(path).stem in waiting)
        for path in known["blobs"].keys() - blobs.keys():  # taken out of the repository by hand
            if Path(path).stem not in waiting:
                (self.folder / path).unlink(missing_ok=True)
        self._know(head, blobs)
        return head

    def _blobs(self, head: str) -> dict[str, str]:
        """The files of the library at a commit and the hash of each."""
        try:
            tree = list(self._api.list_repo_tree(self.repository, FOLDER, revision=head, repo_type="dataset"))
        except EntryNotFoundError:  # nothing has been saved yet
            return {}
        found = {}
        for file in tree:
            limit = MAX_RECORD_BYTES if file.path.endswith(".json") else 2**17
            if FILE.fullmatch(file.path) and getattr(file, "size", limit + 1) <= limit:
                found[file.path] = file.blob_id
        if len(found) > 2 * MAX_RECORDS:
            raise Refused(
                "{repository} holds too many presets, {limit} at most.", repository=self.repository, limit=MAX_RECORDS
            )
        return found

    def _fetched(self, path: str, head: str) -> bytes:
        file = self._api.hf_hub_download(self.repository, path, repo_type="dataset", revision=head)
        return Path(file).read_bytes()

    def _take(self, path: str, data: bytes, is_waiting: bool) -> None:
        """A file of the repository into the copy. One that cannot be read is kept as it is, so that it is told of; not
        where a change of ours waits, which stands in the copy only."""
        place = self.folder / path
        try:
            if place.suffix == ".json":
                self.copy.join(decoded(data, place.stem))
                return
        except Refused:
            if is_waiting:
                return
        with self.copy.locked(), atomic_write(place) as temporary:
            temporary.write_bytes(data)

    def _send(self, change: Waiting) -> None:
        """One change of the queue into the repository, on top of whatever is there."""
        for _ in range(TRIES):
            head = self._pull() or self._make()
            theirs = self._theirs(change.id, head)
            with self.copy.locked():  # whoever queued it has kept it by then
                ours = self.copy.find(change.id)
            keys = [version.key for version in ours.versions] if ours else []
            if change.key not in keys or (theirs and change.key in [version.key for version in theirs.versions]):
                change.path.unlink()  # ended before it was kept, or landed already
                return
            versions = ours.versions[: keys.index(change.key) + 1]
            record = theirs.joined(versions) if theirs else Record(id=change.id, versions=versions)
            path = f"{FOLDER}/{change.id}.json"
            files = {path: encoded(record)}
            if (thumbnail := self.copy.thumbnail(change.id)) is not None:
                files[path.replace(".json", ".webp")] = thumbnail
            try:
                self._commit(files, ours.version(change.key), head)
            except HfHubHTTPError as error:
                if error.response.status_code not in MOVED:
                    raise
                time.sleep(random.uniform(0, 0.3))  # so that several writers do not keep meeting
                continue
            self.copy.join(record)
            change.path.unlink()
            return
        raise Refused("{repository} is being written by many at once. It is tried again.", repository=self.repository)

    def _commit(self, files: dict[str, bytes], version: Version, head: str) -> None:
        self._api.create_commit(
            self.repository,
            [CommitOperationAdd(path, data) for path, data in files.items()],
            commit_message=f"{version.change}: {version.preset.id} by {version.by}",
            repo_type="dataset",
            parent_commit=head,
        )

    def _theirs(self, id: str, head: str) -> Record | None:
        """The record as it stands in the repository."""
        path = f"{FOLDER}/{id}.json"
        if path not in self._known()["blobs"]:
            return None
        return decoded(self._fetched(path, head), id)

    def _make(self) -> str:
        self._api.create_repo(self.repository, repo_type="dataset", private=True, exist_ok=True)
        return self._head()

    def _head(self) -> str:
        """The newest commit. Raises RepositoryNotFoundError."""
        return self._api.repo_info(self.repository, repo_type="dataset", timeout=TIMEOUT.read).sha

    # ---- what is known here -----------------------------------------------------------------------------------------

    def _known(self) -> dict[str, Any]:
        """The commit that the copy was brought up to, and the hashes of its files there."""
        path = self.folder / "head.json"
        try:
            return parse_json(path.read_bytes(), path.name)
        except (OSError, Refused):  # none yet: everything is fetched
            return {"head": None, "blobs": {}}

    def _know(self, head: str, blobs: dict[str, str]) -> None:
        with atomic_write(self.folder / "head.json") as temporary:
            temporary.write_text(json.dumps({"head": head, "blobs": blobs}))

    def _put(self, id: str, key: str) -> None:
        (self.queue / f"{time.time_ns():020}_{id}_{key}").touch()

    def _waiting(self) -> list[Waiting]:
        """The queue, the oldest change first."""
        return [Waiting(path, *path.name.split("_")[1:]) for path in sorted(self.queue.iterdir())]


def _client() -> httpx2.Client:
    client = default_client_factory()
    client.timeout = TIMEOUT
    return client


@contextmanager
def _in_words(repository: str) -> Iterator[None]:
    """Every fault of the Hub and of the way to it as one sentence (Refused)."""
    try:
        yield
    except (OfflineModeIsEnabled, LocalEntryNotFoundError) as error:
        raise Refused(
            "The Hub is not asked or cannot be reached. {repository} is shown as it was last.", repository=repository
        ) from error
    except HfHubHTTPError as error:
        raise _answered(repository, error.response.status_code) from error
    except httpx2.TimeoutException as error:
        raise Refused(
            "The Hub does not answer. {repository} is shown as it was last.", repository=repository
        ) from error
    except httpx2.TransportError as error:
        raise Refused(
            "The Hub cannot be reached. {repository} is shown as it was last.", repository=repository
        ) from error
    except OSError as error:  # the library's own about a file that did not come whole, or the disk's
        raise Refused(
            "{repository} could not be fetched or kept ({reason}).",
            repository=repository,
            reason=error.strerror or type(error).__name__,
        ) from error


def _answered(repository: str, status: int) -> Refused:
    if status in (401, 403):
        return Refused(
            "The Hub refuses the studio's token for {repository} ({status}). Set HF_TOKEN to one that may write there.",
            repository=repository,
            status=status,
        )
    if status == 404:
        return Refused(
            "{repository} is not on the Hub ({status}). Check MIRAGE_LIBRARY.", repository=repository, status=status
        )
    if status == 429:
        return Refused(
            "The Hub asks to wait ({status}). {repository} is tried again in a while.",
            repository=repository,
            status=status,
        )
    return Refused(
        "The Hub has trouble ({status}). {repository} is tried again in a while.", repository=repository, status=status
    )
