"""What a visit leaves on the disk: nothing but its last clip while it lasts, and nothing afterwards."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from datetime import datetime, timedelta
from types import SimpleNamespace

from gradio.state_holder import StateHolder
from visit import last, settled

from studio.handlers import clip
from studio.page import layout
from studio.session import KEPT_LIFTS, LEFTOVER_SECONDS, Lifts, Session


def test_a_visit_leaves_nothing_on_the_disk(session, workbench):
    last(clip.render(workbench, session, "en", settled()))
    folder = session.folder
    assert any(folder.rglob("*.mp4"))
    session.close()
    assert not folder.exists()


def test_a_visit_that_is_over_is_dropped_with_its_files(workbench, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    demo = layout.build_studio(workbench)
    holder = StateHolder()
    holder.set_blocks(demo)
    count = next(fn for fn in demo.fns.values() if fn.name == "counted")
    inputs = [None, "en", *astuple(settled())]  # the page sends nothing for the visit

    def use():
        asyncio.run(demo.process_api(count, inputs, state=holder["visit"]))

    with ThreadPoolExecutor(1) as thread:  # the browser tests keep a loop in this one
        thread.submit(use).result()
    (visit,) = [value for value in holder["visit"].state_data.values() if isinstance(value, Session)]
    folder = visit.folder
    del visit  # what keeps it is the page's state alone
    holder.delete_all_expired_state()
    assert folder.exists()
    later = datetime.now() + timedelta(seconds=layout.SESSION_SECONDS + 1)
    monkeypatch.setattr("gradio.state_holder.datetime.datetime", SimpleNamespace(now=lambda: later))
    holder.delete_all_expired_state()
    assert not folder.exists()
    assert not any(isinstance(value, Session) for value in holder["visit"].state_data.values())


def test_what_a_server_that_was_killed_left_is_swept_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    old, recent = tmp_path / "studio" / "old", tmp_path / "studio" / "recent"
    for folder in (old, recent):
        folder.mkdir(parents=True)
        (folder / "photo.jpg").write_bytes(b"...")
    yesterday = time.time() - LEFTOVER_SECONDS - 1
    os.utime(old, (yesterday, yesterday))
    session = Session()
    assert session.folder.parent == old.parent and recent.exists() and not old.exists()
    session.close()


def test_only_the_last_clip_of_a_visit_is_kept(session, workbench):
    last(clip.render(workbench, session, "en", settled()))
    first = session.clip.video
    last(clip.render(workbench, session, "en", settled()))
    assert session.clip.video.exists() and not first.parent.exists()
    second = session.clip.video
    session.set_photo(session.photo, None)
    assert session.clip is None and not second.parent.exists()


def lifted(pixels: int) -> SimpleNamespace:
    return SimpleNamespace(photo=SimpleNamespace(size=pixels))


def test_a_photo_is_lifted_once_for_a_framing_and_what_was_measured_serves_the_next():
    lifts, likes = Lifts(), []

    def make(name):
        return lambda like: likes.append(like) or name

    assert lifts.get("own", (288, 512), "whole", make("a")) == "a"
    assert lifts.get("own", (288, 512), "whole", make("z")) == "a"
    assert lifts.get("own", (288, 512), "closer", make("b")) == "b"
    assert lifts.get("other", (288, 512), "whole", make("c")) == "c"  # another estimator has measured another depth
    assert lifts.get_large("own", (720, 1280), "whole", make("d")) == "d"  # and so has another size
    assert lifts.get_large("own", (720, 1280), "closer", make("e")) == "e"
    assert lifts.get_large("own", (288, 512), "closer", make("z")) == "b"
    assert likes == [None, "a", None, None, "d"]


def test_only_what_is_used_is_kept():
    lifts = Lifts()
    for number in range(KEPT_LIFTS + 2):
        lifts.get("own", (288, 512), number, lambda like, number=number: number)
        assert lifts.get("own", (288, 512), 0, lambda like: "made anew") == 0
    assert lifts.get("own", (288, 512), 1, lambda like: "made anew") == "made anew"
    lifts.get_large("own", (720, 1280), "whole", lambda like: "first")
    lifts.get_large("own", (720, 1280), "closer", lambda like: "second")
    assert lifts.get_large("own", (720, 1280), "whole", lambda like: "made anew") == "made anew"


def test_of_all_visits_one_keeps_its_photo_at_the_size_of_a_clip(workbench):
    first, second = Lifts(), Lifts()
    for lifts in (first, first, second):
        workbench.keep_large_of(lifts)
        lifts.get_large("own", (720, 1280), "whole", lambda like: "made")
    assert second.get_large("own", (720, 1280), "whole", lambda like: "made anew") == "made"
    assert first.get_large("own", (720, 1280), "whole", lambda like: "made anew") == "made anew"
