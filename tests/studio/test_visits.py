"""Who has the key of a visit finds it; nobody else does, and not more is kept for nobody than was meant."""

import gc

import pytest
from PIL import Image

from studio import visits
from studio.job import Job
from studio.session import Session
from studio.visits import Visits


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))


def with_photo() -> Session:
    session = Session()
    session.set_photo(Image.new("RGB", (100, 100)), None)
    session.new_file(".jpg").write_bytes(b"...")
    return session


def test_only_its_key_finds_a_visit():
    kept, visit = Visits(), Session()
    assert kept.enter("first", None, visit) is visit
    for key in (None, "", visit.key[:-1], 3, ["a"], {"key": visit.key}):
        fresh = Session()
        assert kept.enter("second", key, fresh) is fresh
    assert kept.enter("third", visit.key, Session()) is visit
    assert len({Session().key for _ in range(100)}) == 100 and len(visit.key) >= 22


def test_a_visit_lives_as_long_as_a_page_holds_it():
    kept, visit = Visits(), with_photo()
    key, folder = kept.enter("first", None, visit).key, visit.folder
    del visit
    gc.collect()
    assert not folder.exists() and kept.enter("second", key, Session()).key != key


def test_of_visits_that_nobody_looks_at_only_the_newest_are_kept(monkeypatch):
    monkeypatch.setattr(visits, "AWAY", 2)
    kept, all_visits = Visits(), [with_photo() for _ in range(5)]
    for number, visit in enumerate(all_visits):
        kept.enter(f"page {number}", None, visit)
    for number in (3, 0, 1, 2):
        kept.leave(f"page {number}")
    assert [visit.photo is not None for visit in all_visits] == [False, True, True, False, True]
    assert kept.enter("again", all_visits[0].key, Session()) is not all_visits[0]
    assert kept.enter("again", all_visits[2].key, Session()) is all_visits[2]


def test_they_are_bounded_in_bytes_too_and_one_that_works_is_left_alone(monkeypatch):
    kept, (first, second) = Visits(), (with_photo(), with_photo())
    monkeypatch.setattr(visits, "AWAY_BYTES", first.size - 1)
    first.job = Job(lambda job: iter(()))  # not over
    for page, visit in (("one", first), ("two", second)):
        kept.enter(page, None, visit)
        folder = visit.folder
        kept.leave(page)
    assert first.photo is not None and second.photo is None and not folder.exists()


def test_a_page_that_loads_again_before_the_old_one_is_gone_keeps_its_visit(monkeypatch):
    monkeypatch.setattr(visits, "AWAY", 0)
    kept, visit = Visits(), with_photo()
    kept.enter("old", None, visit)
    kept.enter("new", visit.key, Session())
    kept.leave("old")  # a connection that broke is noticed late
    kept.leave("old")
    assert visit.photo is not None
    kept.leave("new")
    assert visit.photo is None
