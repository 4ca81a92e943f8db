"""The library on the Hub, against one of our own over HTTP: whatever happens on the way, no version is lost."""

import json
import re
import threading

import httpx2
import pytest
from fake_library_hub import REPO, FakeLibraryHub
from huggingface_hub import constants
from team import ANNA, BRUNO, PUSH_IN, edit

from presets import hub_library, records
from presets.hub_library import HubLibrary
from presets.library import decoded, encoded


@pytest.fixture(autouse=True)
def no_patience(monkeypatch, tmp_path):
    """The Hub's library waits 23 s for a Hub in trouble; its cache is the test's own."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    monkeypatch.setattr(hub_library, "TIMEOUT", httpx2.Timeout(0.3))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)


@pytest.fixture
def hub():
    hub = FakeLibraryHub({})
    yield hub
    hub.shutdown()
    hub.server_close()


@pytest.fixture
def library(hub, tmp_path):
    return opened(hub, tmp_path / "one")


def opened(hub, folder):
    return HubLibrary(REPO, folder, endpoint=hub.endpoint, token="the-machine-s")


def save(library, name="Our push-in"):
    version = records.duplicated(PUSH_IN, BRUNO, name)
    return library.change(version.preset.id, lambda _: version)


def there(hub, id):
    return decoded(hub.files[f"presets/{id}.json"], id)


def keys(record):
    return [version.key for version in record.versions]


def test_a_saved_preset_is_in_the_repository_and_in_another_studio(hub, library, tmp_path):
    record = save(library)
    assert library.sync() == (REPO, True, 0, None) and there(hub, record.id) == record
    other = opened(hub, tmp_path / "two")
    assert other.sync().online and other.catalogue().records == {record.id: record}
    edit(other, record.id, "Second", ANNA)
    other.sync(), library.sync()
    assert library.record(record.id) == other.record(record.id) == there(hub, record.id)
    assert [message.split(":")[0] for _, message, _ in hub.history] == ["first", "created", "edited"]
    assert {login for _, _, login in hub.requests} == {"Bearer the-machine-s"}


def test_the_repository_is_made_private_at_the_first_change(tmp_path):
    hub = FakeLibraryHub()
    library = opened(hub, tmp_path)
    assert library.sync().online and library.catalogue().records == {} and not hub.history
    record = save(library)
    assert library.sync().waiting == 0 and there(hub, record.id) == record  # the fake refuses a public one
    hub.shutdown()


def test_four_who_write_at_once_lose_nothing(hub, library, tmp_path):
    shared = save(library)
    library.sync()
    studios = [opened(hub, tmp_path / str(number)) for number in range(4)]
    for studio in studios:
        studio.sync()

    def work(number):
        own = save(studios[number], f"own {number}")
        for turn in range(3):
            edit(studios[number], shared.id, f"{number}-{turn}", ANNA)
            edit(studios[number], own.id, f"own {number}-{turn}", ANNA)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for studio in studios:
        assert studio.sync()[1:] == (True, 0, None)
    record = there(hub, shared.id)
    wanted = {f"{number}-{turn}" for number in range(4) for turn in range(3)} | {"Our push-in"}
    assert sorted(version.preset.name.en for version in record.versions) == sorted(wanted)
    assert len(hub.files) == 5 and all(len(decoded(data, path[8:-5]).versions) > 3 for path, data in hub.files.items())
    for studio in studios:  # and everybody sees the same, conflicts too
        assert studio.sync().online and studio.record(shared.id) == record


def test_two_changes_of_one_version_stand_side_by_side(hub, library, tmp_path):
    record, other = save(library), opened(hub, tmp_path / "two")
    library.sync(), other.sync()
    base = record.current.key
    edit(library, record.id, "Here", ANNA, base)
    edit(other, record.id, "There", BRUNO, base)
    library.sync(), other.sync(), library.sync()
    both = library.record(record.id)
    assert both == other.record(record.id) and len(both.others) == 1
    assert {both.current.preset.name.en, both.others[0].preset.name.en} == {"Here", "There"}


@pytest.mark.parametrize("moved", [409, 412])
def test_a_stale_parent_is_read_again(hub, library, moved):
    hub.faults += [("POST .*/commit/", moved)] * 3
    record = save(library)
    assert library.sync().waiting == 0 and there(hub, record.id) == record


def test_a_commit_that_landed_behind_an_error_is_not_sent_twice(hub, library):
    hub.faults.append(("POST .*/commit/", "landed"))
    record = save(library)
    assert library.sync() == (REPO, True, 0, None)
    assert there(hub, record.id) == record and len(hub.history) == 2


FAULTS = [
    (401, "refuses the studio.s token for team/presets .401.. Set HF_TOKEN"),
    (403, "refuses the studio.s token for team/presets .403.. Set HF_TOKEN"),
    (404, "is not on the Hub .404.. Check MIRAGE_LIBRARY"),
    (429, "asks to wait .429.. team/presets is tried again"),
    (500, "has trouble .500.. team/presets is tried again"),
    ("hang", "does not answer. team/presets is shown as it was last"),
    ("cut", "could not be fetched|cannot be reached|has trouble"),
]


@pytest.mark.parametrize(("what", "sentence"), FAULTS, ids=[str(what) for what, _ in FAULTS])
@pytest.mark.parametrize("call", ["POST .*/commit/", "POST .*/preupload/", "GET .*/datasets/team/presets"])
def test_a_fault_is_one_sentence_and_the_change_waits(hub, library, what, sentence, call):
    first = save(library, "First")
    library.sync()
    hub.faults += [(call, what)] * 40
    record = save(library)
    status = library.sync()
    hub.faults.clear()
    if what == "cut" and call != "GET .*/datasets/team/presets":
        assert status.waiting == 0 or status.reason  # the commit itself had landed
    else:
        assert not status.online and status.waiting == 1 and re.search(sentence, status.reason), status
    assert library.record(record.id) == record and library.record(first.id) == first
    restarted = opened(hub, library.folder.parent)
    assert restarted.sync()[1:] == (True, 0, None) and there(hub, record.id) == record


def test_without_a_network_the_copy_is_used_and_changes_go_later_in_order(hub, library, monkeypatch, tmp_path):
    record = save(library)
    library.sync()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    offline = opened(hub, library.folder.parent)
    assert not offline.sync().online and offline.catalogue().records == {record.id: record}
    for name in ("a", "b", "c"):
        edit(offline, record.id, name, ANNA)
    second = save(offline, "Second")
    assert offline.sync().waiting == 4 and "as it was last" in offline.status().reason
    assert len(there(hub, record.id).versions) == 1
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert opened(hub, library.folder.parent).sync() == (REPO, True, 0, None)
    assert [version.preset.name.en for version in there(hub, record.id).versions] == ["Our push-in", "a", "b", "c"]
    assert there(hub, second.id) == second
    assert [message.split(":")[0] for _, message, _ in hub.history[2:]] == ["edited", "edited", "edited", "created"]


def test_a_bad_file_in_the_repository_hides_nothing_and_stays(hub, library):
    record = save(library)
    library.sync()
    later = json.dumps({**json.loads(encoded(record)), "id": "later", "schema": 2}).encode()
    hub.commit("by hand", {"presets/broken.json": b"{", "presets/later.json": later, "presets/../../x.json": b"{}"})
    assert library.sync().online
    catalogue = library.catalogue()
    assert list(catalogue.records) == [record.id] and set(catalogue.refused) == {"broken", "later"}
    edit(library, record.id, "Second")
    assert library.sync().waiting == 0 and hub.files["presets/broken.json"] == b"{"
    assert not (library.folder.parent.parent / "x.json").exists()


def test_what_is_taken_out_by_hand_goes_from_the_copy_but_not_what_waits(hub, library):
    record, kept = save(library), save(library, "Kept")
    library.sync()
    hub.refuses = 500
    edit(library, kept.id, "Waiting")
    hub.refuses = None
    hub.commit("by hand", {f"presets/{each.id}.json": None for each in (record, kept)})
    assert library.sync()[1:] == (True, 0, None)
    assert list(library.catalogue().records) == [kept.id]
    assert [version.preset.name.en for version in there(hub, kept.id).versions] == ["Kept", "Waiting"]


def test_a_thumbnail_travels_with_its_preset(hub, library, tmp_path):
    webp = b"RIFF\0\0\0\0WEBP" + b"x" * 100
    version = records.duplicated(PUSH_IN, BRUNO, "With a picture")
    library.change(version.preset.id, lambda _: version, webp)
    library.sync()
    assert hub.files[f"presets/{version.preset.id}.webp"] == webp
    other = opened(hub, tmp_path / "two")
    other.sync()
    assert other.thumbnail(version.preset.id) == webp
