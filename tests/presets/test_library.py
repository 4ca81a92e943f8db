"""Records and the folder that keeps them: no version is ever lost, whoever writes."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import permutations

import pytest
from helpers import ROOT
from team import ANNA, BRUNO, CARLA, PUSH_IN, edit, renamed

from pipelines.errors import Refused
from presets import records
from presets.library import LocalLibrary, decoded, encoded
from presets.records import Record


@pytest.fixture
def library(tmp_path):
    return LocalLibrary(tmp_path)


@pytest.fixture
def kept(library):
    """A record of Bruno's with one version."""
    version = records.duplicated(PUSH_IN, BRUNO, "Our push-in")
    return library.change(version.preset.id, lambda _: version)


# ---- laws of a record -------------------------------------------------------------------------------------------


def test_every_change_is_a_version_that_says_who_when_and_what(library, kept):
    edit(library, kept.id, "Second", ANNA)
    library.change(kept.id, lambda record: records.marked(record, "approved", ANNA))
    record = library.change(kept.id, lambda record: records.restored(record, kept.current.key, ANNA))
    assert [(version.by, version.change) for version in record.versions] == [
        ("Bruno", "created"), ("Anna", "edited"), ("Anna", "approved"), ("Anna", "restored"),
    ]  # fmt: skip
    assert [version.preset.version for version in record.versions] == [1, 2, 3, 4]
    assert record.current.content == kept.current.content and not record.current.approved
    assert all(version.at.tzinfo is not None for version in record.versions)


def test_two_edits_of_one_version_are_both_kept_until_someone_chooses(library, kept):
    base = kept.current.key
    first = edit(library, kept.id, "Anna's", ANNA, base)
    both = edit(library, kept.id, "Bruno's", BRUNO, base)
    assert both.current == first.current and [other.preset.name.en for other in both.others] == ["Bruno's"]
    later = edit(library, kept.id, "Anna's second", ANNA)
    assert later.current.preset.name.en == "Anna's second" and later.others == both.others
    chosen = later.others[0].preset
    done = library.change(kept.id, lambda record: records.merged(record, chosen, BRUNO))
    assert done.current.preset.name.en == "Bruno's" and not done.others and len(done.versions) == 5


def test_copies_of_a_record_join_to_the_same_versions_in_whatever_order(library, kept):
    copies = []
    for person in ("a", "b", "c"):
        version = records.edited(kept, renamed(kept.current.preset, person), BRUNO, kept.current.key)
        copies.append(kept.joined((version,)))
    for order in permutations(copies):
        record = kept
        for copy in order:
            record = record.joined(copy.versions).joined(copy.versions)
        assert {version.key for version in record.versions} == {v.key for copy in copies for v in copy.versions}
        assert record.current == order[0].current and len(record.others) == 2


def test_a_save_that_changes_nothing_is_no_version(library, kept):
    assert edit(library, kept.id, "Our push-in") == kept
    assert library.change(kept.id, lambda record: records.marked(record, "unlocked", ANNA)) == kept


def test_a_record_s_file_reads_back_to_the_same_record(kept):
    assert decoded(encoded(kept), kept.id) == kept


# ---- roles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", records.STATES)
def test_a_viewer_changes_nothing(library, kept, change):
    for ask in (
        lambda record: records.marked(record, change, CARLA),
        lambda record: records.edited(record, renamed(PUSH_IN, "x"), CARLA, record.current.key),
        lambda record: records.restored(record, kept.current.key, CARLA),
        lambda record: records.merged(record, PUSH_IN, CARLA),
        lambda record: records.created(PUSH_IN, CARLA),
    ):
        with pytest.raises(Refused, match="takes the role (contributor|owner), yours is viewer"):
            library.change(kept.id, ask)
    assert library.record(kept.id) == kept


@pytest.mark.parametrize("state", ["approved", "locked"])
def test_what_is_approved_or_locked_only_an_owner_changes(library, kept, state):
    with pytest.raises(Refused, match="takes the role owner, yours is contributor"):
        library.change(kept.id, lambda record: records.marked(record, state, BRUNO))
    closed = library.change(kept.id, lambda record: records.marked(record, state, ANNA))
    for ask in (
        lambda record: records.edited(record, renamed(PUSH_IN, "x"), BRUNO, kept.current.key),
        lambda record: records.restored(record, kept.current.key, BRUNO),
        lambda record: records.marked(record, "archived", BRUNO),
        lambda record: records.merged(record, PUSH_IN, BRUNO),
    ):
        with pytest.raises(Refused, match=f"Our push-in is {state}: only an owner"):
            library.change(kept.id, ask)
    assert library.record(kept.id) == closed
    assert edit(library, kept.id, "Anna's", ANNA).current.preset.name.en == "Anna's"


def test_a_lock_outlives_an_edit_and_an_approval_does_not(library, kept):
    for change in ("approved", "locked"):
        library.change(kept.id, lambda record, change=change: records.marked(record, change, ANNA))
    assert edit(library, kept.id, "Anna's", ANNA).current.state == (False, True, False)


# ---- the folder -------------------------------------------------------------------------------------------------


def test_a_bad_file_does_not_hide_the_others(library, kept):
    good = json.loads(encoded(kept))
    bad = {
        "broken": b"{",
        "twice": b'{"schema": 1, "schema": 1}',
        "deep": b"[" * 1000 + b"]" * 1000,
        "other": encoded(kept),
        "types": json.dumps({**good, "id": "types", "versions": 5}).encode(),
        "orphan": json.dumps({**good, "versions": [{**good["versions"][0], "parents": ["0" * 16]}]}).encode(),
        "later": json.dumps({**good, "id": "later", "schema": 2}).encode(),
    }
    for name, data in bad.items():
        (library.folder / f"{name}.json").write_bytes(data)
    (library.folder / "Not an id.json").write_bytes(b"{}")
    catalogue = LocalLibrary(library.folder.parent).catalogue()
    assert list(catalogue.records) == [kept.id] and catalogue.refused.keys() == bad.keys()
    assert all(sentence.startswith(f"{id}.json") for id, sentence in catalogue.refused.items())
    assert "newer Mirage Studio (schema 2, here 1)" in catalogue.refused["later"]
    with pytest.raises(Refused, match="later.json was written by a newer"):
        edit(library, "later", "x", ANNA)
    assert (library.folder / "later.json").read_bytes() == bad["later"]  # nothing was written over it


@pytest.mark.parametrize("id", ["../x", "a/b", "", "A", "x" * 49, "<img>", None, "a\n"])
def test_ids_are_no_paths(library, id):
    for ask in (library.record, library.thumbnail, lambda id: library.change(id, lambda _: None)):
        with pytest.raises(Refused, match="is no preset's id"):
            ask(id)


def test_a_thumbnail_is_a_small_webp(library, kept):
    webp = b"RIFF\0\0\0\0WEBP" + b"x" * 100
    library.change(kept.id, lambda record: records.marked(record, "locked", ANNA), webp)
    assert library.thumbnail(kept.id) == webp
    for bad in (b"<svg onload=alert(1)>", b"RIFF\0\0\0\0WEBP" + b"x" * 70_000):
        with pytest.raises(Refused, match="WebP of at most"):
            library.change(kept.id, lambda record: records.marked(record, "unlocked", ANNA), bad)
    assert library.record(kept.id).current.locked


def test_nothing_half_written_stays(library, kept, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="Free some disk space"):
        edit(library, kept.id, "Second")
    assert library.record(kept.id) == kept and [file.name for file in library.folder.iterdir()] == [f"{kept.id}.json"]


# ---- several processes ------------------------------------------------------------------------------------------

WRITER = """
import sys
from presets import records
from presets.library import LocalLibrary
from presets.records import Person, Role
library, id, name, writes = LocalLibrary(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
def edit(record):
    preset = record.current.preset
    text = preset.name.model_copy(update={"en": f"{name} {number}"})
    after = records.revalidated(preset, {"name": text})
    return records.edited(record, after, Person(name, Role.OWNER), record.current.key)
for number in range(writes):
    library.change(id, edit)
    print(number, flush=True)
"""


def writer(library, id, name, writes):
    arguments = [str(library.folder.parent), id, name, str(writes)]
    return subprocess.Popen([sys.executable, "-c", WRITER, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_write_200_times_each_while_a_third_reads(library, kept):
    processes = [writer(library, kept.id, name, 200) for name in ("one", "two")]
    reader, reads, most = LocalLibrary(library.folder.parent), 0, 0
    while any(process.poll() is None for process in processes):
        record = reader.record(kept.id)  # raises where it is not whole
        assert len(record.versions) >= most
        reads, most = reads + 1, len(record.versions)
    assert [process.wait() for process in processes] == [0, 0] and reads > 10
    record = reader.record(kept.id)
    wanted = {f"{name} {number}" for name in ("one", "two") for number in range(200)}
    assert {version.preset.name.en for version in record.versions} == wanted | {"Our push-in"}
    assert len(record.versions) == 401 and not record.others


def test_a_process_that_is_killed_leaves_whole_presets_and_no_lock(library, kept):
    for number in range(5):
        process = writer(library, kept.id, f"killed {number}", 1000)
        for _ in range(3 + number):
            process.stdout.readline()
        time.sleep(0.003 * number)  # at another moment of a write each time
        process.send_signal(signal.SIGKILL)
        process.communicate()
        fresh = LocalLibrary(library.folder.parent)
        assert fresh.catalogue().refused == {}
        record = edit(fresh, kept.id, f"after {number}", ANNA)
        assert record.current.preset.name.en == f"after {number}" and isinstance(record, Record)
