"""A handler's work that goes on without the page that ordered it: it runs in a thread, and pages only watch it."""

import contextvars
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

log = logging.getLogger(__name__)

RUNNING, STOPPED, ENDED = "running", "stopped", "ended"


class Job:
    """Runs a generator of answers, and keeps the newest value of each widget for whoever comes to watch.

    id: a random one. state: RUNNING, then ENDED (with a result or with a refusal: its answers say which) or STOPPED.
    ordered: what the work was ordered with; an equal order while it runs is this job.
    """

    def __init__(self, work: Callable[["Job"], Iterator[dict[str, Any]]], ordered: Any = None):
        """work: called with this job; it looks at `is_stopping` after every step and ends by itself."""
        self.id = secrets.token_hex(8)
        self.state = RUNNING
        self.ordered = ordered
        self._work: Callable | None = work
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._count = 0  # of answers so far
        self._answers: dict[str, tuple[int, Any]] = {}  # widget -> number of the answer, its value there

    def start(self) -> "Job":
        # whose call this is goes along: on shared GPUs the time is the caller's
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._run,), name=f"job-{self.id}", daemon=True).start()
        return self

    def _run(self) -> None:
        work, self._work = self._work, None  # it may hold what holds this job
        try:
            with closing(work(self)) as answers:
                for answer in answers:
                    self._tell(answer)
        except Exception:  # work explains what it expects; watchers must not wait for ever for the rest
            log.exception("job %s broke off", self.id)
        finally:
            self.state = STOPPED if self.is_stopping else ENDED
            self._over.set()

    def _tell(self, answer: dict[str, Any]) -> None:
        with self._lock:
            self._count += 1
            self._answers |= {name: (self._count, value) for name, value in answer.items()}

    def news(self, seen: int = 0) -> tuple[dict[str, Any], int]:
        """(answer, count): the newest value of every widget that changed after `seen` answers, and how many there are
        now. Who comes later, or was slow, gets everything at once."""
        with self._lock:
            return {name: value for name, (number, value) in self._answers.items() if number > seen}, self._count

    def stop(self) -> None:
        """Ask the work to end at its next step."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def wait(self, seconds: float) -> bool:
        """Whether it is over within so many seconds."""
        return self._over.wait(seconds)
