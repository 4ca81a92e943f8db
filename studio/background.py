"""Something that takes long to make, made in a background thread: with progress, and again where that failed."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from pipelines.large.profiles import ProfileError
from pipelines.weights.errors import FetchError
from pipelines.weights.progress import reporting_to
from studio.words import Refusal

log = logging.getLogger(__name__)


class Loading:
    """A value that is being made, or is there, or could not be had.

    name: "model" or "depth", as the sentences about it begin. progress: what is being done ("fetch", "check" or
    "load"), bytes done and bytes in all, 0 where nobody knows.
    """

    def __init__(self, name: str, make: Callable[[], Any]):
        self.name = name
        self._make = make
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._done = threading.Event()
        self._value: Any = None
        self.error: Exception | None = None
        self.progress = ("load", 0, 0)

    def start(self) -> None:
        """A second call does nothing; see `retry`."""
        with self._lock:
            if self._thread is None:
                self._begin()

    def retry(self) -> None:
        """Start, also where it has failed before."""
        with self._lock:
            if self._thread is None or self.error is not None:
                self._begin()

    def _begin(self) -> None:
        self._done.clear()
        self.error, self.progress = None, ("load", 0, 0)
        self._thread = threading.Thread(target=self._run, name="loading", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with reporting_to(self.on_progress):
                self._value = self._make()
        except Exception as error:  # whatever it is, the page must say it
            expected = isinstance(error, FetchError | ProfileError)
            log.error("%s could not be loaded: %s", self.name, error, exc_info=not expected)
            self.error, self.progress = error, ("load", 0, 0)
        self._done.set()

    def on_progress(self, what: str, done: int, total: int) -> None:
        self.progress = (what, done, total) if done < total else ("load", 0, 0)

    @property
    def is_there(self) -> bool:
        return self._done.is_set() and self.error is None

    @property
    def is_loading(self) -> bool:
        return not self._done.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it came to its end, good or bad, within so many seconds."""
        self.start()
        return self._done.wait(seconds)

    def result(self) -> Any:
        """What was made; waits for it. Raises Refusal where it failed."""
        self.wait()
        if self.error is not None:
            raise Refusal(f"{self.name}_failed", reason=self.error)
        return self._value
