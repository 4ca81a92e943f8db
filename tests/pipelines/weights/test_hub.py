"""A repository on a small Hub of our own: fetched once, resumed, checked, and used again without a network."""

import hashlib
import os
import threading
import time
from types import SimpleNamespace

import pytest
from fake_hub import COMMIT, REPO, FakeHub, run

from pipelines.weights.cache import COMMIT as COMMIT_NAME
from pipelines.weights.cache import SHA256
from pipelines.weights.download import Count, fetch_large
from pipelines.weights.hub import local_folder
from pipelines.weights.pins import PINS, WAN


@pytest.fixture
def hub():
    weights = bytes(range(256)) * 4096
    server = FakeHub({"model_index.json": b"{}", "transformer/weights.safetensors": weights, "run.py": b"evil"})
    yield server
    server.shutdown()
    server.server_close()


FETCH = f"from pipelines.weights.hub import local_folder; print(local_folder({REPO!r}))"


def test_a_repository_is_fetched_once_and_then_used_without_a_network(hub, tmp_path):
    folder, progress = run(FETCH, hub, tmp_path)
    assert open(f"{folder}/transformer/weights.safetensors", "rb").read() == bytes(range(256)) * 4096
    assert "100%" in progress and not os.path.exists(f"{folder}/run.py")  # no code is fetched
    hub.shutdown()
    hub.server_close()
    assert run(FETCH, hub, tmp_path)[0] == folder
    assert run(FETCH, hub, tmp_path, HF_HUB_OFFLINE="1")[0] == folder
    assert "the Hub cannot be reached" in run(FETCH, hub, tmp_path / "empty")[1]


def test_an_interrupted_download_goes_on_where_it_stopped(hub, tmp_path):
    path = "transformer/weights.safetensors"
    block = 10 * 2**20  # what the library writes at a time
    hub.files[path] = bytes(range(256)) * (5 * block // 2 // 256)
    hub.hashes[path], hub.cut = hashlib.sha256(hub.files[path]).hexdigest(), path
    hub.then = 401  # so that the library cannot go on by itself
    nothing, error = run(FETCH, hub, tmp_path)
    assert not nothing and "could not be fetched: the Hub answers 401" in error
    assert not list(tmp_path.rglob("weights.safetensors"))  # what is there of it has no name that anybody would open
    assert "is not complete on this machine" in run(FETCH, hub, tmp_path, HF_HUB_OFFLINE="1")[1]
    hub.status = hub.then = 200
    folder, _ = run(FETCH, hub, tmp_path)
    ranges = [asked for command, asked_path, asked in hub.requests if command == "GET" and asked_path.endswith(path)]
    assert ranges == [None, f"bytes={block}-", f"bytes={block}-"]
    assert not list(tmp_path.rglob("*.part"))
    assert open(f"{folder}/{path}", "rb").read() == hub.files[path]


def test_a_damaged_file_is_refused_and_not_kept(hub, tmp_path):
    path = "transformer/weights.safetensors"
    hub.files[path], intact = hub.files[path][::-1], hub.files[path]
    _, error = run(FETCH, hub, tmp_path)
    refusal = "weights.safetensors of team/tiny is damaged and was removed. Fetch it again."
    assert refusal in error and not list(tmp_path.rglob("weights.safetensors"))
    hub.files[path] = intact
    folder, _ = run(FETCH, hub, tmp_path)
    with open(f"{folder}/{path}", "r+b") as file:  # and one that was damaged later, on this disk
        file.truncate(1000)
    assert refusal in run(FETCH, hub, tmp_path)[1]


def test_a_repository_is_held_to_the_commit_that_was_fetched_first(hub, tmp_path):
    first, told = run(FETCH, hub, tmp_path)
    path, newer = "transformer/weights.safetensors", "3" * 40
    hub.files[path], hub.commit = b"newer", newer
    hub.hashes[path] = hashlib.sha256(b"newer").hexdigest()
    assert f"held to commit {COMMIT}, the first that was fetched here: nobody has published its hashes" in told
    again, told = run(FETCH, hub, tmp_path)
    assert again == first and first.endswith(COMMIT) and "held" not in told
    for named in (f"{REPO}@main", f"{REPO}@{newer}"):
        folder, errors = run(FETCH.replace(REPO, named), hub, tmp_path)
        assert folder.endswith(newer) and open(f"{folder}/{path}", "rb").read() == b"newer", errors
    assert run(FETCH, hub, tmp_path)[0] == first
    assert run(FETCH, hub, tmp_path / "elsewhere")[0].endswith(newer)


def test_of_known_repositories_one_commit_and_its_files_are_taken(hub, tmp_path):
    for repository, pin in PINS.items():
        assert "/" in repository and COMMIT_NAME.fullmatch(pin.revision) and pin.sha256
        assert all(SHA256.fullmatch(digest) and path.endswith(".safetensors") for path, digest in pin.sha256.items())
    assert len(PINS[WAN].sha256) == len(set(PINS[WAN].sha256.values())) == 9

    path, newer = "transformer/weights.safetensors", "3" * 40
    known = "from pipelines.weights import pins; pins.PINS[{!r}] = pins.Pin({!r}, {{{!r}: {!r}}}); " + FETCH
    hub.commit = newer
    folder, errors = run(known.format(REPO, COMMIT, path, hub.hashes[path]), hub, tmp_path)
    assert folder.endswith(COMMIT), errors  # not what main is now
    _, errors = run(known.format(REPO, newer, path, "0" * 64), hub, tmp_path / "other")
    assert "weights.safetensors of team/tiny is not the file that is known by this name, and was removed." in errors
    assert not list((tmp_path / "other").rglob("weights.safetensors"))


def test_a_single_file_is_fetched_alone(hub, tmp_path):
    hub.files["other.safetensors"], hub.hashes["other.safetensors"] = b"not asked for", "4" * 64
    code = f"""
from pipelines.weights.hub import local_file
print(local_file({REPO!r} + "@main/transformer/weights.safetensors"))
local_file({REPO!r} + "/step.safetensors")"""
    file, errors = run(code, hub, tmp_path)
    assert file.endswith(f"{COMMIT}/transformer/weights.safetensors") and os.path.getsize(file) == 2**20, errors
    assert "team/tiny holds no step.safetensors" in errors and not list(tmp_path.rglob("other.safetensors"))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "could not be fetched: the Hub answers 401. Log in with `hf auth login`."),
        (403, "asks for its terms to be accepted"),
        (404, "does not exist on the Hub, or needs a login"),
        (429, "could not be fetched: the Hub answers 429. Try again later."),
        (500, "could not be fetched: the Hub answers 500. Try again later."),
    ],
)
def test_what_the_hub_refuses_is_told(hub, tmp_path, status, words):
    hub.status = status
    assert f"{REPO} {words}" in run(FETCH, hub, tmp_path)[1]


def test_a_revision_that_is_not_there_is_told(hub, tmp_path):
    assert "team/tiny has no revision 'gone'" in run(FETCH.replace(REPO, f"{REPO}@gone"), hub, tmp_path)[1]


def test_a_cache_may_be_read_only_and_says_so_where_it_must_not(hub, tmp_path):
    """As in an image that carries its weights."""
    run(FETCH, hub, tmp_path)
    for record in ("verified.txt", "held.txt"):
        next(tmp_path.rglob(record)).unlink()
    refuse = """
import errno, os, pathlib
def refused(path, *_, **__):
    raise PermissionError(errno.EACCES, "Permission denied", str(path))
pathlib.Path.write_text = os.makedirs = pathlib.Path.mkdir = refused
"""
    folder, errors = run(refuse + FETCH, hub, tmp_path)
    assert folder.endswith(COMMIT), errors
    nothing, errors = run(refuse + FETCH, hub, tmp_path / "empty")
    told = f"cannot be kept in {tmp_path / 'empty' / 'hub'} (Permission denied). Choose another folder with HF_HOME."
    assert not nothing and told in errors


def test_a_refusal_without_a_reason_is_told_as_one(hub, tmp_path):
    hub.status, hub.codes = 403, {}
    assert "team/tiny could not be fetched: the Hub answers 403. Log in with" in run(FETCH, hub, tmp_path)[1]


def test_what_answers_in_the_hubs_place_is_no_hub(hub, tmp_path):
    for hub.page in (b"<html>Log in to the hotel's network</html>", b"{}"):
        assert "and the Hub cannot be reached. Connect to fetch the rest." in run(FETCH, hub, tmp_path)[1]
    hub.page = None
    folder, _ = run(FETCH, hub, tmp_path)
    hub.page = b"{}"
    assert run(FETCH, hub, tmp_path)[0] == folder


def test_a_fault_of_our_own_is_not_told_as_a_hub_that_does_not_answer(monkeypatch):
    def broken(*_):
        raise KeyError("a typing error")

    monkeypatch.setattr("pipelines.weights.hub.files_to_fetch", lambda *_: ([], 0))
    monkeypatch.setattr("pipelines.weights.hub.fetch_large", broken)
    with pytest.raises(KeyError, match="a typing error"):
        local_folder("team/tiny")


def test_a_disk_that_becomes_full_keeps_what_came(hub, tmp_path):
    path = "transformer/weights.safetensors"
    hub.files[path] = bytes(range(256)) * (25 * 4096)
    hub.hashes[path] = hashlib.sha256(hub.files[path]).hexdigest()
    code = f"""
import errno
from pipelines.weights import download, hub
from pipelines.weights.errors import FetchError
write = download.CountedFile.write
def full(file, data):
    if file.tell():
        raise OSError(errno.ENOSPC, "No space left on device")
    return write(file, data)
download.CountedFile.write = full
try:
    hub.local_folder({REPO!r})
except FetchError as error:
    print(error)
download.CountedFile.write = write
print(hub.local_folder({REPO!r}))"""
    told, errors = run(code, hub, tmp_path)
    sentence, folder = told.splitlines()
    assert sentence.startswith("The disk became full while team/tiny was fetched. Free some space"), errors
    ranges = [asked for command, asked_path, asked in hub.requests if command == "GET" and asked_path.endswith(path)]
    assert ranges == [None, f"bytes={10 * 2**20}-"]
    assert open(f"{folder}/{path}", "rb").read() == hub.files[path]


def test_a_disk_that_is_too_full_is_told_before_the_download(hub, tmp_path):
    full = "import shutil; shutil.disk_usage = lambda _: shutil._ntuple_diskusage(0, 0, 1000);"
    assert "Free some disk space" in run(full + FETCH, hub, tmp_path)[1]
    assert not list(tmp_path.rglob("*.safetensors"))


def test_what_is_left_of_other_files_makes_no_room(hub, tmp_path):
    path = "transformer/weights.safetensors"
    hub.files[path] = bytes(11 * 2**20)
    hub.hashes[path] = hashlib.sha256(hub.files[path]).hexdigest()
    blobs = tmp_path / "hub" / "models--team--tiny" / "blobs"
    blobs.mkdir(parents=True)
    little = "import shutil; shutil.disk_usage = lambda _: shutil._ntuple_diskusage(0, 0, 2**21);"
    for stale, size in (("5" * 64, 10 * 2**20 + 1), (hub.hashes[path], 12 * 2**20)):  # of another file; too long for it
        with (blobs / f"{stale}.part").open("wb") as part:
            part.truncate(size)
        assert "Free some disk space" in run(little + FETCH, hub, tmp_path)[1]
    with (blobs / f"{hub.hashes[path]}.part").open("wb") as part:
        part.truncate(10 * 2**20 + 1)
    folder, errors = run(little + FETCH, hub, tmp_path)
    assert os.path.getsize(f"{folder}/{path}") == 11 * 2**20, errors


def test_one_file_that_fails_stops_the_others(tmp_path, monkeypatch):
    """They would go on for gigabytes before anybody hears of it; Ctrl-C ends them too."""
    waiting = threading.Event()

    def http_get(url, file, **_):
        if url.endswith("b.safetensors"):
            assert waiting.wait(20)
            raise KeyboardInterrupt
        for _ in range(2000):
            file.write(b"1")
            waiting.set()
            time.sleep(0.01)

    monkeypatch.setattr("huggingface_hub.file_download.http_get", http_get)
    files = [SimpleNamespace(filename=f"{name}.safetensors", commit_hash=COMMIT, file_size=2000) for name in "ab"]
    blobs = [tmp_path / file.filename for file in files]
    with pytest.raises(KeyboardInterrupt):
        fetch_large(REPO, list(zip(files, blobs, strict=True)), None, Count(4000))
    assert 0 < (tmp_path / "a.safetensors.part").stat().st_size < 2000 and not any(blob.exists() for blob in blobs)


def test_a_converted_repository_opens_and_again_without_a_network(converted, tmp_path):
    files = {str(file.relative_to(converted)): file.read_bytes() for file in converted.rglob("*") if file.is_file()}
    server = FakeHub(files)
    code = f"""
from pipelines import MiragePipeline
pipe = MiragePipeline.from_pretrained({REPO!r})
print(pipe.engine.facts.name, *pipe.transformer.peft_config, pipe.engine.facts.weights[-1]["from"])
import huggingface_hub.constants
huggingface_hub.constants.HF_HUB_OFFLINE = True
print(MiragePipeline.from_pretrained({REPO!r}).engine.facts == pipe.engine.facts)"""
    told, errors = run(code, server, tmp_path)
    server.shutdown()
    server.server_close()
    assert told.splitlines() == [f"spatia released {REPO}@{COMMIT}", "True"], errors
    assert "100%" in errors
