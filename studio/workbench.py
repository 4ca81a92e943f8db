"""The models of this process, loaded behind the open page, and the line of those who want to work with them."""

import functools
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipelines.depth import DepthEstimator, depth_estimator
from pipelines.weights.licences import licence_card
from studio.background import Loading
from studio.order import one_of
from studio.session import Lifts
from studio.settings import EMBEDDED, Opened, Settings, open_model

if TYPE_CHECKING:  # these bring torch
    from pipelines import MiragePipeline
    from pipelines.engines.base import EngineFacts


class Pace:
    """How long renders take here. Starts from a measured line, then follows what this machine really does."""

    FIXED = 1.0  # seconds: depth, tokens, file
    PER_MEGAPIXEL = 0.4  # seconds per frame and megapixel on two cores: 5, 25 and 55 s for four seconds of clip

    def __init__(self):
        self.factor = 1.0
        self.has_learned = False

    def estimate(self, frames: int, height: int, width: int) -> float:
        """Seconds for a clip."""
        return self.factor * (self.FIXED + frames * self.PER_MEGAPIXEL * height * width / 1e6)

    def learn(self, seconds: float, frames: int, height: int, width: int) -> None:
        """A clip took `seconds`: half of the way towards what it says, so that one hiccup does not decide."""
        self.has_learned = True
        ratio = seconds / self.estimate(frames, height, width)
        self.factor = min(max(self.factor * ratio**0.5, 0.1), 20.0)


class Workbench:
    """The pipeline once it is there, the depth estimators beside it, and one piece of work at a time.

    load: makes an `Opened`; by default what the settings name, imported in the background so that the page is served
    before torch is read.
    """

    def __init__(self, settings: Settings | None = None, load: Callable[[], Opened] | None = None):
        self.settings = settings or Settings()
        self.model = Loading("model", load or (lambda: open_model(self.settings)))
        self.depths = {
            name: Loading("depth", functools.partial(self._open_depth, name)) for name in self.settings.more_depths
        }
        self.pace = Pace()
        self._has_large: weakref.ref[Lifts] | None = None  # the visit whose photo is lifted at the size of a clip
        self._line: list[object] = []  # who works (first) and who waits, in order of arrival
        self._lock = threading.Lock()

    def _open_depth(self, name: str) -> DepthEstimator:
        self.model.wait()  # two models must not be read at once: their libraries set defaults for the whole process
        return depth_estimator(name)

    def warm_up(self) -> None:
        self.model.start()

    @property
    def pipe(self) -> "MiragePipeline":
        """The pipeline; waits for it. Raises Refusal where it could not be loaded."""
        return self.model.result().pipe

    def offered(self, depth: str | None) -> Loading | None:
        """The estimator of this name that is loaded beside the model; None for the model's own. Raises Refusal."""
        if depth is None or (depth == EMBEDDED and self.depths):
            return None
        allowed = (EMBEDDED, *self.depths) if self.depths else ()
        return self.depths[one_of("depth", depth, allowed)]

    def estimator(self, depth: str | None) -> DepthEstimator | None:
        """The estimator of this name, None for the pipeline's own; waits for it. Raises Refusal."""
        extra = self.offered(depth)
        return extra.result() if extra else None

    @property
    def facts(self) -> "EngineFacts | None":
        """None while the model is not there."""
        return self.pipe.engine.facts if self.model.is_there else None

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
    def native_fps(self) -> int | None:
        """Frames per second that the model makes; None where any rate is as good, or nobody knows yet."""
        return self.facts.fps if self.facts else None

    def licence_card(self, depth: str | None = None) -> list[dict[str, Any]]:
        """Every weight in use with this depth; empty while they are not there."""
        if not self.model.is_there:
            return []
        extra = self.depths.get(depth)
        return licence_card(self.pipe.engine, extra.result() if extra and extra.is_there else None)

    def keep_large_of(self, lifts: Lifts) -> None:
        """Of all visits only this one keeps its photo lifted at the size of a clip: that is 50 to 120 MB."""
        before = self._has_large and self._has_large()
        if before is not None and before is not lifts:
            before.drop_large()
        self._has_large = weakref.ref(lifts)

    # Two renders at once would each take more than twice as long, so one works and the others stand in line.

    def join(self) -> object:
        """A ticket for the end of the line; give it back with `leave`, whatever happens."""
        ticket = object()
        with self._lock:
            self._line.append(ticket)
        return ticket

    def ahead(self, ticket: object) -> int:
        """How many come before this ticket: at 0 it is its turn."""
        with self._lock:
            return self._line.index(ticket)

    def leave(self, ticket: object) -> None:
        with self._lock:
            self._line.remove(ticket)
