"""The one pipeline of this process, loaded behind the open page."""

import logging
import threading

from studio.text import Refusal

log = logging.getLogger(__name__)


class Engine:
    """Loads the pipeline in a background thread and hands it out once it is there.

    load: makes the pipeline; by default `MiragePipeline.embedded`, imported in that thread so that the page is served
    before torch is read.
    """

    def __init__(self, load=None):
        self._load = load or load_embedded
        self._done = threading.Event()
        self._pipe = None
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._line: list[object] = []  # who works (first) and who waits, in order of arrival

    def warm_up(self) -> None:
        """Starts loading; a second call does nothing."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            self._pipe = self._load()
        except Exception as error:  # whatever it is, the page must say it
            log.exception("the model could not be loaded")
            self._error = error
        self._done.set()

    @property
    def is_loading(self) -> bool:
        return not self._done.is_set()

    @property
    def error(self) -> str | None:
        """Why there is no pipeline, in one line."""
        return None if self._error is None else one_line(self._error)

    def pipe(self, timeout: float = 120):
        """The pipeline; waits for it. Raises Refusal when it failed to load or takes longer than `timeout` seconds."""
        self.warm_up()
        if not self._done.wait(timeout):
            raise Refusal("waiting_model")
        if self._error is not None:
            raise Refusal("model_failed", reason=self.error)
        return self._pipe

    # Two renders at once would each take more than twice as long, so one works and the others stand in line.

    def join(self) -> object:
        """A place at the end of the line; give it back with `leave`, whatever happens."""
        place = object()
        with self._lock:
            self._line.append(place)
        return place

    def ahead(self, place: object) -> int:
        """How many come before: 0 means it is this one's turn."""
        with self._lock:
            return self._line.index(place)

    def leave(self, place: object) -> None:
        with self._lock:
            self._line.remove(place)


def load_embedded():
    from pipelines import MiragePipeline  # torch comes in here, not before

    return MiragePipeline.embedded()


def one_line(error: BaseException) -> str:
    """An exception as a short line that can be shown: no traceback, no folders of this machine."""
    words = (" ".join(str(error).split()) or type(error).__name__)[:300].split()
    return " ".join("…" if word.lstrip("'\"(").startswith("/") else word for word in words)
