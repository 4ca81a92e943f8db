"""Work that goes on without a page: who watches is told everything, whenever they come, and Stop ends it at a step."""

import threading
import time

from studio.job import ENDED, RUNNING, STOPPED, Job


def counting(steps: int, closed: threading.Event | None = None, go: threading.Event | None = None):
    def work(job):
        try:
            for number in range(steps):
                yield {"stage": number, "first": "only once"} if number == 0 else {"stage": number}
                if go is not None:
                    go.wait(5)
                if job.is_stopping:
                    yield {"stage": "stopped"}
                    return
        finally:
            if closed is not None:
                closed.set()

    return work


def test_who_comes_late_gets_the_newest_of_every_widget_and_then_only_news():
    go = threading.Event()
    job = Job(counting(3, go=go)).start()
    while not job.news()[0]:
        time.sleep(0.01)
    first, seen = job.news()
    assert first == {"stage": 0, "first": "only once"} and job.state == RUNNING
    assert job.news(seen) == ({}, seen)
    go.set()
    assert job.wait(5) and job.state == ENDED
    assert job.news(seen) == ({"stage": 2}, 3)
    assert job.news() == ({"stage": 2, "first": "only once"}, 3)


def test_stop_ends_the_work_at_its_next_step():
    closed, go = threading.Event(), threading.Event()
    job = Job(counting(1000, closed, go)).start()
    job.stop()
    go.set()
    assert job.wait(5) and job.state == STOPPED and closed.is_set()
    assert job.news()[0]["stage"] == "stopped" and job.news()[1] <= 3


def test_work_that_breaks_off_is_over_all_the_same():
    def work(job):
        yield {"stage": 1}
        raise RuntimeError("inside")

    job = Job(work).start()
    assert job.wait(5) and job.state == ENDED and job.news() == ({"stage": 1}, 1)


def test_ids_cannot_be_guessed():
    assert len({Job(counting(1)).id for _ in range(100)}) == 100 and len(Job(counting(1)).id) == 16
