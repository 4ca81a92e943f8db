"""The models of this process, loaded behind the open page, and the line of those who want to work with them."""

import functools
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipelines.depth import DepthEstimator, depth_estimator
from pipelines.large.profiles import ProfileError
from pipelines.weights import hub
from pipelines.weights.licences import depth_weights
from studio.settings import EMBEDDED, Opened, Settings, open_model
from studio.state import FPS, one_of
from studio.words import Refusal

if TYPE_CHECKING:
    from pipelines.engines.base import EngineFacts  # brings torch

log = logging.getLogger(__name__)


class Loading:
    """Something that is made in a background thread, with progress, and again where that failed.

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
            with hub.telling(self._hear):
                self._value = self._make()
        except Exception as error:  # whatever it is, the page must say it
            expected = isinstance(error, hub.FetchError | ProfileError)
            log.error("%s could not be loaded: %s", self.name, error, exc_info=not expected)
            self.error, self.progress = error, ("load", 0, 0)
        self._done.set()

    def _hear(self, what: str, done: int, total: int) -> None:
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


class Engine:
    """Hands out the pipeline once it is there, and lets one work with it at a time.

    load: makes an `Opened`; by default what the settings name, imported in the background so that the page is served
    before torch is read.
    """

    def __init__(self, settings: Settings | None = None, load: Callable[[], Opened] | None = None):
        self.settings = settings or Settings()
        self._load = load or (lambda: open_model(self.settings))
        self.model = Loading("model", self._open)
        self.depths = {
            name: Loading("depth", functools.partial(self._open_depth, name)) for name in self.settings.more_depths
        }
        self._line: list[object] = []  # who works (first) and who waits, in order of arrival
        self._lock = threading.Lock()

    def _open(self) -> Opened:
        opened = self._load()
        self._own_depth = opened.pipe.engine.depth_estimator
        return opened

    def _open_depth(self, name: str) -> DepthEstimator:
        self.model.wait()  # two models must not be read at once: their libraries set defaults for the whole process
        return depth_estimator(name)

    def warm_up(self) -> None:
        self.model.start()

    def offered(self, depth: str | None) -> Loading | None:
        """What is to be loaded for this depth beside the model; None where that has it. Raises Refusal."""
        if depth is None or (depth == EMBEDDED and self.depths):
            return None
        allowed = (EMBEDDED, *self.depths) if self.depths else ()
        return self.depths[one_of("depth", depth, allowed)]

    def pipe(self, depth: str | None = None):
        """The pipeline, measuring depth with `depth`, for whose turn it is; waits for both. Raises Refusal."""
        extra, pipe = self.offered(depth), self.model.result().pipe
        pipe.engine.depth_estimator = extra.result() if extra else self._own_depth
        return pipe

    @property
    def facts(self) -> "EngineFacts | None":
        """None while the model is not there."""
        return self.model.result().pipe.engine.facts if self.model.is_there else None

    @property
    def takes_prompt(self) -> bool | None:
        """None while nobody knows."""
        if self.settings.model == EMBEDDED:
            return False
        return self.facts.takes_prompt if self.facts else None

    @property
    def own_size(self) -> tuple[int, int] | None:
        """(height, width) that the model was trained with; None where any is as good, or nobody knows yet."""
        return self.facts.size if self.facts else None

    @property
    def grid(self) -> int:
        """Sides of a clip are multiples of so many pixels."""
        return self.facts.size_step if self.facts else 2

    @property
    def fps(self) -> int:
        """Frames per second of a clip."""
        return self.facts.fps if self.facts else FPS

    def card(self, depth: str | None = None) -> list[dict[str, Any]]:
        """The licence card: every weight in use with this depth; empty while they are not there."""
        if not self.model.is_there:
            return []
        extra = self.depths.get(depth)
        estimator = extra.result() if extra and extra.is_there else self._own_depth
        return [*self.facts.weights, *depth_weights(estimator)]

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
